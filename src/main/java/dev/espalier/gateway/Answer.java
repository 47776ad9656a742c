package dev.espalier.gateway;

import dev.espalier.store.Outcome;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// The response to an exchange.
///
/// @param raw the bytes as they went to the client
/// @param message what the events of a stream make up; null if it was none
/// @param cut whether `raw` lacks what went beyond the longest response that is stored
record Answer(
    Served served,
    int status,
    Outcome outcome,
    boolean streamed,
    byte[] raw,
    @Nullable ObjectNode message,
    long firstByteMs,
    boolean cut) {
  private static final int CLIENT_GONE = 499; // as nginx records it

  /// One that its client did not wait for.
  static Answer toNobody(Served served, long elapsedMs) {
    return new Answer(
        served, CLIENT_GONE, Outcome.CLIENT_GONE, false, new byte[0], null, elapsedMs, false);
  }
}
