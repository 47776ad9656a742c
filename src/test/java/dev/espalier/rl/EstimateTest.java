package dev.espalier.rl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/// What is added to advantages, against its formula.
final class EstimateTest {
  /// Three tokens of probabilities 0.6, 0.3 and 0.1, sampled exactly so often.
  private static final double[] POLICY = {0.6, 0.3, 0.1};

  private static final int[] DRAWN = {0, 0, 0, 0, 0, 0, 1, 1, 1, 2};

  private static final double WEIGHT = 0.25;

  private static Estimate estimate(String preset, double entropy, float[][] values) {
    var sampled = new float[DRAWN.length][1];
    var rewards = new double[1][DRAWN.length];
    for (int i = 0; i < DRAWN.length; i++) {
      sampled[i][0] = (float) Math.log(POLICY[DRAWN[i]]);
      rewards[0][i] = i % 3;
    }
    var algorithm = Algorithm.preset(preset).exploring(entropy);
    return Estimate.of(algorithm, rewards, sampled, sampled, values);
  }

  /// The gradient by the logit z of log π(token): 1 for the token's own, less its probability.
  private static double gradient(int token, int logit) {
    return (token == logit ? 1 : 0) - POLICY[logit];
  }

  @Test
  void surpriseAddsTheGradientOfTheEntropy() {
    double entropy = 0;
    for (double p : POLICY) entropy -= p * Math.log(p);
    for (var preset : new String[] {"grpo", "ppo"}) {
      var values = new float[DRAWN.length][1];
      var without = estimate(preset, 0, values).advantages();
      var with = estimate(preset, WEIGHT, values).advantages();
      for (int logit = 0; logit < POLICY.length; logit++) {
        double added = 0;
        for (int i = 0; i < DRAWN.length; i++) {
          added += (with[i][0] - without[i][0]) * gradient(DRAWN[i], logit) / DRAWN.length;
        }
        // by hand: ∂H/∂z = −p (log p + H)
        double exact = -POLICY[logit] * (Math.log(POLICY[logit]) + entropy);
        assertThat(added).isCloseTo(WEIGHT * exact, within(1e-6));
      }
    }
  }

  @Test
  void returnsAreNotTouched() {
    var values = new float[DRAWN.length][1];
    assertThat(estimate("ppo", WEIGHT, values).returns())
        .isEqualTo(estimate("ppo", 0, values).returns());
  }
}
