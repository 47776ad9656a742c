package dev.espalier.rl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/// Attempts of two, three and five tokens, of which the model may say eight.
final class WeightingTest {
  private static final int[] LENGTHS = {2, 3, 5};

  private static void weighs(Weighting weighting, double... expected) {
    for (int i = 0; i < LENGTHS.length; i++) {
      assertThat(weighting.of(LENGTHS[i], LENGTHS, 8)).isCloseTo(expected[i], within(1e-12));
    }
  }

  /// The mean over attempts of the mean over their tokens.
  @Test
  void bySequenceEveryAttemptIsAThird() {
    weighs(Weighting.SEQUENCE, 1 / 6.0, 1 / 9.0, 1 / 15.0);
  }

  /// The mean over the tokens of all attempts.
  @Test
  void byTokenEveryTokenIsATenth() {
    weighs(Weighting.TOKEN, 0.1, 0.1, 0.1);
  }

  /// The mean over attempts of the sum over their tokens, divided by the most there may be.
  @Test
  void byAConstantATokenCountsTheSameHoweverMuchIsSaid() {
    weighs(Weighting.CONSTANT, 1 / 24.0, 1 / 24.0, 1 / 24.0);
  }
}
