package dev.espalier.stats;

import java.util.Arrays;
import java.util.SplittableRandom;

/// The bootstrap interval of a mean, bias-corrected and accelerated (Efron, 1987).
///
/// What is resampled is whole groups, because turns of one conversation are right or wrong together
/// and taking them as independent would make the interval too narrow.
public final class Bootstrap {
  private final double[] sums; // of a group's values
  private final int[] counts; // of a group's values

  private Bootstrap(double[] sums, int[] counts) {
    this.sums = sums;
    this.counts = counts;
  }

  /// The interval of the mean of independent values.
  ///
  /// @param level 0.95, say
  /// @param resamples 10,000 gives two stable digits
  public static Interval mean(double[] values, double level, int resamples, long seed) {
    return mean(values, alone(values.length), level, resamples, seed);
  }

  /// The interval of the mean of values that are independent only between groups.
  ///
  /// @param groups the group of each value, int[n], numbered from 0 without gaps
  public static Interval mean(
      double[] values, int[] groups, double level, int resamples, long seed) {
    if (values.length == 0) throw new IllegalArgumentException("no values, no interval");
    if (values.length != groups.length) {
      throw new IllegalArgumentException(
          "%d values but %d group numbers".formatted(values.length, groups.length));
    }
    if (!(level > 0 && level < 1)) {
      throw new IllegalArgumentException("the level must be between 0 and 1, not " + level);
    }
    int n = Arrays.stream(groups).max().getAsInt() + 1;
    var sums = new double[n];
    var counts = new int[n];
    for (int i = 0; i < values.length; i++) {
      sums[groups[i]] += values[i];
      counts[groups[i]]++;
    }
    for (int count : counts) {
      if (count == 0) throw new IllegalArgumentException("group numbers must have no gaps");
    }
    return new Bootstrap(sums, counts).interval(level, resamples, seed);
  }

  /// The interval of the mean of a − b, both measured on the same examples.
  public static Interval paired(double[] a, double[] b, double level, int resamples, long seed) {
    return paired(a, b, alone(a.length), level, resamples, seed);
  }

  /// The interval of the mean of a − b where examples are independent only between groups.
  public static Interval paired(
      double[] a, double[] b, int[] groups, double level, int resamples, long seed) {
    if (a.length != b.length) {
      throw new IllegalArgumentException(
          "pairs need two values each: %d and %d".formatted(a.length, b.length));
    }
    var differences = new double[a.length];
    for (int i = 0; i < a.length; i++) differences[i] = a[i] - b[i];
    return mean(differences, groups, level, resamples, seed);
  }

  private static int[] alone(int n) {
    var groups = new int[n];
    Arrays.setAll(groups, i -> i);
    return groups;
  }

  private Interval interval(double level, int resamples, long seed) {
    var means = resampledMeans(resamples, new SplittableRandom(seed));
    Arrays.sort(means);
    double bias = bias(means);
    double acceleration = acceleration();
    double z = Normal.quantile((1 + level) / 2);
    return new Interval(
        quantile(means, corrected(bias, acceleration, -z)),
        quantile(means, corrected(bias, acceleration, z)));
  }

  private double[] resampledMeans(int resamples, SplittableRandom random) {
    var means = new double[resamples];
    for (int r = 0; r < resamples; r++) {
      double sum = 0;
      long count = 0;
      for (int i = 0; i < sums.length; i++) {
        int group = random.nextInt(sums.length);
        sum += sums[group];
        count += counts[group];
      }
      means[r] = sum / count;
    }
    return means;
  }

  /// How far the median of the resampled means lies from the mean, in deviations; ties count half.
  private double bias(double[] sorted) {
    double mean = Arrays.stream(sums).sum() / Arrays.stream(counts).asLongStream().sum();
    double below = 0;
    for (double value : sorted) {
      // Equal means differ in the last bits by the order of their terms.
      double distance = value - mean;
      boolean tie = Math.abs(distance) <= 1e-12 * Math.max(1, Math.abs(mean));
      below += tie ? 0.5 : distance < 0 ? 1 : 0;
    }
    double p = below / sorted.length;
    double edge = 0.5 / sorted.length;
    return Normal.quantile(Math.clamp(p, edge, 1 - edge));
  }

  /// How fast the mean's deviation changes with the mean, by leaving out one group at a time.
  private double acceleration() {
    int n = sums.length;
    double sum = Arrays.stream(sums).sum();
    long count = Arrays.stream(counts).asLongStream().sum();
    if (n < 2) return 0;
    var left = new double[n];
    for (int i = 0; i < n; i++) left[i] = (sum - sums[i]) / (count - counts[i]);
    double centre = Arrays.stream(left).average().getAsDouble();
    double squares = 0;
    double cubes = 0;
    for (double value : left) {
      double d = centre - value;
      squares += d * d;
      cubes += d * d * d;
    }
    return squares < 1e-24 ? 0 : cubes / (6 * Math.pow(squares, 1.5));
  }

  private static double corrected(double bias, double acceleration, double z) {
    double shifted = bias + z;
    double divisor = 1 - acceleration * shifted;
    if (divisor <= 0) return shifted > 0 ? 1 : 0;
    return Normal.cdf(bias + shifted / divisor);
  }

  private static double quantile(double[] sorted, double p) {
    double at = p * (sorted.length - 1);
    int below = (int) Math.floor(at);
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }
}
