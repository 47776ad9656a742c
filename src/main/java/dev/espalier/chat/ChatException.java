package dev.espalier.chat;

/// A request that could not be answered, with the HTTP status that says whose fault it was.
public final class ChatException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;
  private final int retryAfter;

  public ChatException(int status, String message) {
    this(status, message, 1);
  }

  private ChatException(int status, String message, int retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }

  public ChatException(int status, String message, Throwable cause) {
    super(message, cause);
    this.status = status;
    this.retryAfter = 1;
  }

  /// A 429 that says when to ask again.
  ///
  /// @param retryAfter whole seconds
  public static ChatException overloaded(String message, int retryAfter) {
    return new ChatException(429, message, retryAfter);
  }

  /// An HTTP status: 400 for a bad request, 429 for too many, 502 for an upstream's fault.
  public int status() {
    return status;
  }

  /// Where a later try may go better: after how many seconds.
  public int retryAfter() {
    return retryAfter;
  }
}
