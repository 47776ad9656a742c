package dev.espalier.env;

import java.util.List;
import java.util.Random;

/// Random choices that are the same on every machine: the algorithm of `Random` is specified.
record Draw(Random random) {

  /// The stream of one item of a seeded sequence, independent of the items before it.
  static Draw of(long seed, long item) {
    long mixed = (seed * 0x9E3779B97F4A7C15L) ^ (item * 0xD1B54A32D192ED03L);
    mixed = (mixed ^ (mixed >>> 32)) * 0xBF58476D1CE4E5B9L;
    return new Draw(new Random(mixed ^ (mixed >>> 29)));
  }

  boolean chance(double probability) {
    return random.nextDouble() < probability;
  }

  int below(int bound) {
    return random.nextInt(bound);
  }

  <T> T pick(List<T> from) {
    return from.get(random.nextInt(from.size()));
  }
}
