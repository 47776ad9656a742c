package dev.espalier.grammar;

/// Something is asked for that cannot be kept to; the message says what and where.
public final class GrammarException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  GrammarException(String message) {
    super(message);
  }
}
