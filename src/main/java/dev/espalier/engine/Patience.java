package dev.espalier.engine;

import java.time.Duration;

/// How many may wait for an engine, and for how long.
///
/// @param waiting requests that may wait for a place; more are refused
/// @param token how long an answer waits for its next token
public record Patience(int waiting, Duration token) {
  private static final int WAITING_A_PLACE = 8;

  public Patience {
    if (waiting < 1)
      throw new IllegalArgumentException("at least one request must be able to wait");
    if (!token.isPositive()) throw new IllegalArgumentException("a time-out must be positive");
  }

  /// For clients, who can ask again or ask somebody else: eight times as many wait as decode, and a
  /// token may take as long as the next bytes of a provider.
  public static Patience withClients(int slots) {
    return new Patience(WAITING_A_PLACE * slots, Duration.ofMinutes(10));
  }

  /// For this process's own work, which has time and asks for much at once.
  static Patience withOwnWork() {
    return new Patience(4096, Duration.ofDays(1));
  }
}
