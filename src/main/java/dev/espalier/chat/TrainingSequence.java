package dev.espalier.chat;

/// Tokens to train on.
///
/// @param ids int[T]
/// @param trained boolean[T]: whether the model is to learn to write the token at that position
public record TrainingSequence(int[] ids, boolean[] trained) {
  public TrainingSequence {
    if (ids.length != trained.length) {
      throw new IllegalArgumentException(
          "%d tokens need as many marks, not %d".formatted(ids.length, trained.length));
    }
  }

  public int length() {
    return ids.length;
  }

  /// How many tokens carry loss.
  public int trainedTokens() {
    int count = 0;
    for (boolean one : trained) if (one) count++;
    return count;
  }
}
