package dev.espalier.stats;

/// The standard normal distribution.
final class Normal {
  /// Beyond this many deviations the distribution is 0 or 1 in double precision.
  private static final double EDGE = 8.5;

  private Normal() {}

  /// P(Z ≤ z), to about 1e-15 absolute, by Taylor's series (Marsaglia, 2004).
  static double cdf(double z) {
    if (z < -EDGE) return 0;
    if (z > EDGE) return 1;
    double sum = z;
    double term = z;
    for (int odd = 3; sum + term != sum; odd += 2) {
      term *= z * z / odd;
      sum += term;
    }
    return Math.clamp(0.5 + sum * Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI), 0, 1);
  }

  /// The z below which a fraction p lies, by bisection: it is asked for a few times an interval.
  static double quantile(double p) {
    if (!(p > 0 && p < 1)) throw new IllegalArgumentException("no quantile at " + p);
    double low = -EDGE;
    double high = EDGE;
    for (int i = 0; i < 60; i++) {
      double middle = (low + high) / 2;
      if (cdf(middle) < p) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  }
}
