package dev.espalier.judge;

/// A group that a judge could not score. The message does not name the group, so that the same
/// cause reads the same.
public final class JudgeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public JudgeException(String message) {
    super(message);
  }
}
