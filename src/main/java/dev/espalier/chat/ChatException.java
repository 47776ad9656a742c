package dev.espalier.chat;

import org.jspecify.annotations.Nullable;

/// A request that could not be answered, with the HTTP status that says whose fault it was.
public final class ChatException extends RuntimeException {
  /// The code of messages that have no room in the context, as OpenAI has it.
  public static final String TOO_LONG = "context_length_exceeded";

  private static final long serialVersionUID = 1L;

  private final int status;
  private final int retryAfter;
  private final @Nullable String code;

  public ChatException(int status, String message) {
    this(status, message, 1, null);
  }

  private ChatException(int status, String message, int retryAfter, @Nullable String code) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
    this.code = code;
  }

  public ChatException(int status, String message, Throwable cause) {
    super(message, cause);
    this.status = status;
    this.retryAfter = 1;
    this.code = null;
  }

  /// A 429 that says when to ask again.
  ///
  /// @param retryAfter whole seconds
  public static ChatException overloaded(String message, int retryAfter) {
    return new ChatException(429, message, retryAfter, null);
  }

  /// A 400 for messages that have no room in the context.
  public static ChatException tooLong(String message) {
    return new ChatException(400, message, 1, TOO_LONG);
  }

  /// An HTTP status: 400 for a bad request, 429 for too many, 502 for an upstream's fault.
  public int status() {
    return status;
  }

  /// What programs know the error by, in OpenAI's words; null for most.
  public @Nullable String code() {
    return code;
  }

  /// Where a later try may go better: after how many seconds.
  public int retryAfter() {
    return retryAfter;
  }
}
