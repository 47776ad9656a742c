package dev.espalier.store;

import java.util.Locale;

/// The wire format of a captured request and its response.
public enum Api {
  OPENAI,
  ANTHROPIC;

  /// The word used in JSON and in the database.
  public String wire() {
    return name().toLowerCase(Locale.ROOT);
  }
}
