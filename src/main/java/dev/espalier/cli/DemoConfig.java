package dev.espalier.cli;

import dev.espalier.store.Price;
import java.nio.file.Path;
import java.time.Duration;

/// What the demo does, and what it assumes of the large model that its teacher stands in for.
///
/// @param data the data folder
/// @param requests how many requests the application sends before the switch
/// @param epochs passes over them
/// @param seed of the conversations, the dataset's split and the intervals
/// @param delay the teacher's time to the first byte
/// @param price the teacher's
record DemoConfig(Path data, int requests, int epochs, long seed, Duration delay, Price price) {
  /// The name that the application sends, before the switch and after it.
  static final String MODEL = "harbour-large";

  /// The adapter's name.
  static final String ADAPTER = "port-alder";

  /// The adapter of few requests, which practises.
  static final String BEGINNER = "port-alder-beginner";

  /// What it has become by that.
  static final String REINFORCED = "port-alder-reinforced";

  /// How many requests the beginner learns from.
  static final int FEW = 50;

  /// Its passes over them.
  static final int FEW_EPOCHS = 10;

  DemoConfig {
    if (requests < 400) {
      throw new IllegalArgumentException(
          "the demo needs at least 400 requests to learn from, not " + requests);
    }
    if (delay.isNegative()) throw new IllegalArgumentException("a delay cannot be negative");
  }

  /// A large model's usual price, and a delay at the fast end.
  static DemoConfig of(Path data, int requests, int epochs, long seed) {
    return new DemoConfig(
        data, requests, epochs, seed, Duration.ofMillis(300), new Price(MODEL, 2.50, 10, 1.25));
  }
}
