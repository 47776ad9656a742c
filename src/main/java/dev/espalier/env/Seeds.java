package dev.espalier.env;

/// Seeds of independent random streams, counted rather than drawn: SplitMix64's finaliser.
public final class Seeds {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private Seeds() {}

  /// The seed of the stream of that number under a seed.
  public static long of(long seed, long number) {
    return mix(mix(seed + GOLDEN) + (number + 1) * GOLDEN);
  }

  private static long mix(long z) {
    long x = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    x = (x ^ (x >>> 27)) * 0x94D049BB133111EBL;
    return x ^ (x >>> 31);
  }
}
