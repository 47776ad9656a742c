package dev.espalier.store;

import java.util.Locale;

/// How a captured request ended on the wire; what the answer says is in its status.
public enum Outcome {
  /// The whole response came and was handed on.
  COMPLETE,
  /// The upstream stopped in the middle of its response; the client saw the cut.
  TRUNCATED,
  /// The client went away before the end; what had come by then is stored.
  CLIENT_GONE,
  /// No upstream answered: the response is the gateway's own error.
  FAILED;

  /// The word used in JSON and in the database.
  public String wire() {
    return name().toLowerCase(Locale.ROOT);
  }
}
