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

  private static final double BETA = 0.1;
  private static final float[][] SAMPLED = {{-1, -2}, {-0.5f}};
  private static final float[][] REFERENCE = {{-1.5f, -1}, {-2.5f}};
  private static final double[][] REWARDS = {{1, 0}};

  private static Algorithm taking(String preset) {
    var of = Algorithm.preset(preset);
    return new Algorithm(
        preset, of.advantage(), of.loss(), of.weighting(), BETA, of.refill(), 0, 1, 0);
  }

  /// The first attempt is 0.5 likelier by its first token and 1 less likely by its second, the
  /// other one 2 likelier: 1 + 0.05 and −0.2, whose mean is 0.425 and deviation 0.625 · √2.
  @Test
  void withoutACriticAnAttemptPaysForAllItsTokens() {
    var advantages =
        Estimate.of(taking("reinforce++"), REWARDS, SAMPLED, REFERENCE, null).advantages();
    double one = 0.625 / (0.625 * Math.sqrt(2));
    assertThat(advantages[0]).containsExactly(new double[] {one, one}, within(1e-5));
    assertThat(advantages[1]).containsExactly(new double[] {-one}, within(1e-5));
  }

  /// Each token pays for itself, and the last one earns the reward: −0.05 and 1.1; −0.2. A token's
  /// return is what comes from it on.
  @Test
  void withACriticATokenPaysForItself() {
    float[][] values = {{0.3f, 0.6f}, {0.1f}};
    var estimate = Estimate.of(taking("ppo"), REWARDS, SAMPLED, REFERENCE, values);
    assertThat(estimate.returns()[0]).containsExactly(new float[] {1.05f, 1.1f}, within(1e-6f));
    assertThat(estimate.returns()[1]).containsExactly(new float[] {-0.2f}, within(1e-6f));
    double[] better = {1.05 - 0.3, 1.1 - 0.6, -0.2 - 0.1};
    double mean = (better[0] + better[1] + better[2]) / 3;
    double squares = 0;
    for (double one : better) squares += (one - mean) * (one - mean);
    double deviation = Math.sqrt(squares / 3);
    double[] got = {
      estimate.advantages()[0][0], estimate.advantages()[0][1], estimate.advantages()[1][0]
    };
    for (int i = 0; i < got.length; i++) {
      assertThat(got[i]).isCloseTo((better[i] - mean) / deviation, within(1e-6));
    }
  }
}
