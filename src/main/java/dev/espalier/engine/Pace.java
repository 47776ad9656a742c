package dev.espalier.engine;

import java.time.Duration;

/// How long answers have taken lately, to tell those who are refused when to come again.
///
/// One thread notes, any thread asks.
final class Pace {
  private static final double NEWEST = 0.1; // its weight in the mean

  /// What OpenAI's clients wait at most: they do not heed a longer wait.
  private static final int LONGEST = 60;

  private volatile double seconds;

  void took(Duration answer) {
    double took = answer.toNanos() / 1e9;
    seconds = seconds == 0 ? took : seconds + NEWEST * (took - seconds);
  }

  /// Whole seconds until those who wait now will have been answered, at least one.
  int secondsFor(int waiting, int slots) {
    return (int) Math.clamp(Math.ceil(waiting * seconds / slots), 1, LONGEST);
  }
}
