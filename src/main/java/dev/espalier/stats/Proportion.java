package dev.espalier.stats;

/// Intervals of a proportion.
public final class Proportion {
  private Proportion() {}

  /// Wilson's score interval, which stays sensible at 0 and 1 and for small n (Wilson, 1927).
  ///
  /// Takes the trials as independent: for several turns of one conversation it is a little narrow.
  ///
  /// @param level 0.95, say
  public static Interval wilson(int successes, int n, double level) {
    if (n < 1 || successes < 0 || successes > n) {
      throw new IllegalArgumentException("no proportion of %d in %d".formatted(successes, n));
    }
    double z = Normal.quantile((1 + level) / 2);
    double p = (double) successes / n;
    double shrink = 1 + z * z / n;
    double centre = (p + z * z / (2 * n)) / shrink;
    double half = z / shrink * Math.sqrt(p * (1 - p) / n + z * z / (4.0 * n * n));
    return new Interval(Math.max(0, centre - half), Math.min(1, centre + half));
  }
}
