package dev.espalier.train;

/// A run whose loss or gradient is no number any more.
public final class NotFiniteException extends TrainingException {
  private static final long serialVersionUID = 1L;

  public NotFiniteException(String message) {
    super(message);
  }
}
