package dev.espalier.chat;

import java.util.Locale;

/// Why a completion ended, in OpenAI's words.
public enum FinishReason {
  STOP,
  LENGTH,
  TOOL_CALLS,
  CONTENT_FILTER;

  /// The word used on the wire.
  public String wire() {
    return name().toLowerCase(Locale.ROOT);
  }
}
