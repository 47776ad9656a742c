package dev.espalier.model;

/// A model or adapter on disk that cannot be used; the message names the file and what to do.
public final class ModelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ModelException(String message) {
    super(message);
  }

  public ModelException(String message, Throwable cause) {
    super(message, cause);
  }
}
