package dev.espalier.chat;

/// A request that could not be answered, with the HTTP status that says whose fault it was.
public final class ChatException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;

  public ChatException(int status, String message) {
    super(message);
    this.status = status;
  }

  public ChatException(int status, String message, Throwable cause) {
    super(message, cause);
    this.status = status;
  }

  /// An HTTP status: 400 for a bad request, 429 for too many, 502 for an upstream's fault.
  public int status() {
    return status;
  }
}
