package dev.espalier.rl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.rl.Advantage.Gae;
import dev.espalier.rl.Advantage.Relative;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Each advantage against its formula, written out another way.
final class AdvantageTest {
  private static final double[][] REWARDS = {{1, 0, 0, 1}, {0.25, 0.5, 0.75}, {2, 2, 5, -1, 0}};

  @Test
  void meanTakesTheGroupsMeanAway() {
    var out = Relative.MEAN.of(REWARDS);
    assertThat(out[0]).containsExactly(0.5, -0.5, -0.5, 0.5);
    assertThat(out[1]).containsExactly(new double[] {-0.25, 0, 0.25}, within(1e-12));
  }

  @Test
  void meanAndDeviationMakeEachGroupOfDeviationOne() {
    for (var group : Relative.MEAN_STD.of(REWARDS)) {
      double squares = 0;
      double sum = 0;
      for (double one : group) {
        squares += one * one;
        sum += one;
      }
      assertThat(sum).isCloseTo(0, within(1e-9));
      assertThat(squares / (group.length - 1)).isCloseTo(1, within(1e-6));
    }
  }

  @Test
  void leaveOneOutComparesWithTheOthersMean() {
    var out = Relative.LEAVE_ONE_OUT.of(REWARDS);
    for (int g = 0; g < REWARDS.length; g++) {
      for (int i = 0; i < REWARDS[g].length; i++) {
        double others = 0;
        for (int j = 0; j < REWARDS[g].length; j++) if (j != i) others += REWARDS[g][j];
        double expected = REWARDS[g][i] - others / (REWARDS[g].length - 1);
        assertThat(out[g][i]).isCloseTo(expected, within(1e-12));
      }
    }
  }

  @Test
  void batchComparesAcrossGroups() {
    double[] all = {1, 0, 0, 1, 0.25, 0.5, 0.75, 2, 2, 5, -1, 0};
    double mean = 11.5 / 12;
    double variance = 0;
    for (double one : all) variance += (one - mean) * (one - mean) / 11;
    var out = Relative.BATCH.of(REWARDS);
    assertThat(out[2][2]).isCloseTo((5 - mean) / Math.sqrt(variance), within(1e-6));
    assertThat(out[0][1]).isCloseTo((0 - mean) / Math.sqrt(variance), within(1e-6));
  }

  @Test
  void equalRewardsAreNoAdvantage() {
    for (var kind : new Relative[] {Relative.MEAN, Relative.MEAN_STD, Relative.LEAVE_ONE_OUT}) {
      assertThat(kind.of(new double[][] {{0.3, 0.3, 0.3}})[0])
          .containsExactly(new double[3], within(1e-6));
    }
  }

  /// The definition: the sum over l of (γλ)^l · δ(t + l).
  @Test
  void gaeIsTheDiscountedSumOfErrors() {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    double gamma = 0.97;
    double lambda = 0.9;
    int n = 12;
    var rewards = random.doubles(n, -1, 1).toArray();
    var values = new float[n];
    for (int t = 0; t < n; t++) values[t] = random.nextFloat();
    var out = new Gae(gamma, lambda).of(rewards, values);
    for (int t = 0; t < n; t++) {
      double expected = 0;
      for (int l = 0; t + l < n; l++) {
        double next = t + l + 1 < n ? values[t + l + 1] : 0;
        double delta = rewards[t + l] + gamma * next - values[t + l];
        expected += Math.pow(gamma * lambda, l) * delta;
      }
      assertThat(out[t]).as("seed %d, token %d", seed, t).isCloseTo(expected, within(1e-9));
    }
  }

  /// With γ = λ = 1 the advantage is what was still earned, less what was expected.
  @Test
  void gaeWithoutDiscountIsTheReturnLessTheValue() {
    var out = new Gae(1, 1).of(new double[] {0, 0, 1}, new float[] {0.5f, 0.25f, 0.75f});
    assertThat(out).containsExactly(new double[] {0.5, 0.75, 0.25}, within(1e-9));
  }
}
