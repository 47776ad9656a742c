package dev.espalier.rl;

import java.util.Arrays;

/// How much a token counts in a step's loss.
public enum Weighting {
  /// Every attempt the same, its tokens by its length (GRPO).
  SEQUENCE,
  /// Every token the same (DAPO, arXiv 2503.14476).
  TOKEN,
  /// Every token the same, divided by a constant: long attempts are not damped (Dr. GRPO).
  CONSTANT;

  /// The weight of each token of an attempt.
  ///
  /// @param length how many tokens the attempt has
  /// @param lengths those of all attempts of the step
  /// @param most the most tokens that an attempt may have
  public double of(int length, int[] lengths, int most) {
    return switch (this) {
      case SEQUENCE -> 1.0 / lengths.length / length;
      case TOKEN -> 1.0 / Arrays.stream(lengths).sum();
      case CONSTANT -> 1.0 / lengths.length / most;
    };
  }
}
