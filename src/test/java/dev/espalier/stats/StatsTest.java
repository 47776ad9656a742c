package dev.espalier.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StatsTest {
  private static final long SEED = Long.getLong("seed", 20261122L);

  @Test
  void normalAgreesWithTheTables() {
    assertThat(Normal.cdf(0)).isEqualTo(0.5);
    assertThat(Normal.cdf(1.959963984540054)).isEqualTo(0.975, within(1e-12));
    assertThat(Normal.cdf(-3)).isEqualTo(0.0013498980316301, within(1e-13));
    assertThat(Normal.quantile(0.995)).isEqualTo(2.5758293035489, within(1e-9));
    assertThat(Normal.quantile(0.5)).isEqualTo(0, within(1e-12));
  }

  @Test
  void wilsonAgreesWithItsClosedForm() {
    double z2 = 3.841458820694124;
    assertThat(Proportion.wilson(0, 10, 0.95).low()).isEqualTo(0, within(1e-12));
    assertThat(Proportion.wilson(0, 10, 0.95).high()).isEqualTo(z2 / (10 + z2), within(1e-9));
    assertThat(Proportion.wilson(10, 10, 0.95).high()).isEqualTo(1, within(1e-12));
    var half = Proportion.wilson(5, 10, 0.95);
    assertThat(half.low()).isEqualTo(0.236593, within(1e-6));
    assertThat(half.high()).isEqualTo(0.763407, within(1e-6));
    assertThatThrownBy(() -> Proportion.wilson(0, 0, 0.95)).hasMessage("no proportion of 0 in 0");
  }

  @Test
  void theBootstrapOfANormalSampleIsTheTextbookInterval() {
    var random = new Random(SEED);
    var values = random.doubles(400).map(u -> 3 + random.nextGaussian()).toArray();
    double mean = Arrays.stream(values).average().orElseThrow();
    double half = 1.96 / Math.sqrt(400);
    var interval = Bootstrap.mean(values, 0.95, 20_000, SEED);
    assertThat(interval.low()).as("seed %d", SEED).isEqualTo(mean - half, within(0.02));
    assertThat(interval.high()).as("seed %d", SEED).isEqualTo(mean + half, within(0.02));
  }

  @Test
  void theBootstrapIsAFunctionOfItsSeed() {
    var values = new Random(SEED).doubles(50).toArray();
    assertThat(Bootstrap.mean(values, 0.9, 500, 1)).isEqualTo(Bootstrap.mean(values, 0.9, 500, 1));
    assertThat(Bootstrap.mean(values, 0.9, 500, 1))
        .isNotEqualTo(Bootstrap.mean(values, 0.9, 500, 2));
  }

  @Test
  void valuesThatNeverDifferHaveAnIntervalOfNoWidth() {
    var same = new double[30];
    Arrays.fill(same, 0.1);
    assertThat(Bootstrap.paired(same, same, 0.95, 200, SEED)).isEqualTo(new Interval(0, 0));
    var interval = Bootstrap.mean(same, 0.95, 200, SEED);
    assertThat(interval.low()).isEqualTo(0.1, within(1e-12));
    assertThat(interval.width()).isLessThan(1e-12);
  }

  /// Two models that are right on 60 % and 50 % of skewed, correlated pairs.
  @Test
  void thePairedIntervalCoversTheTrueDifferenceAsOftenAsItSays() {
    var random = new Random(SEED);
    int covered = 0;
    int experiments = 600;
    for (int e = 0; e < experiments; e++) {
      var a = new double[80];
      var b = new double[80];
      for (int i = 0; i < a.length; i++) {
        double difficulty = random.nextDouble();
        a[i] = difficulty < 0.6 ? 1 : 0;
        b[i] = (random.nextDouble() < 0.8 ? difficulty : random.nextDouble()) < 0.5 ? 1 : 0;
      }
      if (Bootstrap.paired(a, b, 0.9, 600, e).contains(0.1)) covered++;
    }
    assertThat(covered / (double) experiments).as("seed %d", SEED).isBetween(0.86, 0.94);
  }

  @Test
  void theIntervalCoversTheMeanOfASkewedDistribution() {
    var random = new Random(SEED);
    int covered = 0;
    for (int e = 0; e < 600; e++) {
      var values = random.doubles(40).map(u -> -Math.log(1 - u)).toArray(); // mean 1
      if (Bootstrap.mean(values, 0.9, 600, e).contains(1)) covered++;
    }
    assertThat(covered / 600.0).as("seed %d", SEED).isBetween(0.85, 0.94);
  }

  @Test
  void turnsOfOneConversationCountAsOne() {
    var random = new Random(SEED);
    int covered = 0;
    int coveredAsIfIndependent = 0;
    for (int e = 0; e < 400; e++) {
      var values = new double[200];
      var groups = new int[200];
      for (int g = 0; g < 40; g++) {
        double shared = random.nextGaussian();
        for (int i = 0; i < 5; i++) {
          values[5 * g + i] = shared;
          groups[5 * g + i] = g;
        }
      }
      if (Bootstrap.mean(values, groups, 0.9, 400, e).contains(0)) covered++;
      if (Bootstrap.mean(values, 0.9, 400, e).contains(0)) coveredAsIfIndependent++;
    }
    assertThat(covered / 400.0).as("seed %d", SEED).isBetween(0.84, 0.95);
    assertThat(coveredAsIfIndependent / 400.0).as("seed %d", SEED).isLessThan(0.75);
  }

  @Test
  void nonsenseIsRefused() {
    assertThatThrownBy(() -> Bootstrap.mean(new double[0], 0.95, 10, 1))
        .hasMessage("no values, no interval");
    assertThatThrownBy(() -> Bootstrap.paired(new double[2], new double[3], 0.95, 10, 1))
        .hasMessage("pairs need two values each: 2 and 3");
    assertThatThrownBy(() -> Bootstrap.mean(new double[] {1, 2}, new int[] {0, 2}, 0.95, 10, 1))
        .hasMessage("group numbers must have no gaps");
    assertThatThrownBy(() -> new Interval(2, 1)).hasMessage("no interval from 2.0 to 1.0");
  }
}
