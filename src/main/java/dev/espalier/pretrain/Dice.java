package dev.espalier.pretrain;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// A seeded source of choices.
final class Dice {
  private final SplittableRandom random;

  Dice(long seed) {
    random = new SplittableRandom(seed);
  }

  /// The dice of one item of a seeded series; neighbours share nothing.
  static Dice of(long seed, long index) {
    return new Dice(mix(seed * 0x9E3779B97F4A7C15L + mix(index)));
  }

  /// The finalizer of splitmix64: every bit of the result depends on every bit of the input.
  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /// A number from 0 to bound - 1.
  int below(int bound) {
    return random.nextInt(bound);
  }

  /// A number from low to high, both included.
  int between(int low, int high) {
    return random.nextInt(low, high + 1);
  }

  boolean chance(double probability) {
    return random.nextDouble() < probability;
  }

  <T> T pick(List<T> items) {
    return items.get(random.nextInt(items.size()));
  }

  @SafeVarargs
  final <T> T oneOf(T... items) {
    return items[random.nextInt(items.length)];
  }

  <T> List<T> shuffled(List<T> items) {
    var out = new ArrayList<>(items);
    for (int i = out.size() - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      var kept = out.get(i);
      out.set(i, out.get(j));
      out.set(j, kept);
    }
    return out;
  }

  /// Some of the items in random order.
  <T> List<T> some(List<T> items, int count) {
    return shuffled(items).subList(0, Math.min(count, items.size()));
  }
}
