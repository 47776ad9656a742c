package dev.espalier.judge;

/// How a group is put to a judge.
///
/// @param orders in how many shuffled orders; scores are averaged, which evens out a judge's liking
///   for the first place, most of all if their number is even
/// @param retries how often a malformed verdict is asked for again
/// @param seed of the orders
public record RulerConfig(int orders, int retries, long seed) {
  public RulerConfig {
    if (orders < 1) throw new IllegalArgumentException("a group is judged in one order at least");
    if (retries < 0) throw new IllegalArgumentException("retries cannot be negative: " + retries);
  }
}
