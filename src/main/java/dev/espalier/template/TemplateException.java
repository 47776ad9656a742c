package dev.espalier.template;

/// A chat template that cannot be read or run, and where.
public final class TemplateException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int line;
  private final int column;

  /// @param line from 1
  /// @param column from 1
  public TemplateException(int line, int column, String what) {
    super("line " + line + ", column " + column + ": " + what);
    this.line = line;
    this.column = column;
  }

  /// The line of the template, from 1.
  public int line() {
    return line;
  }

  /// The column in that line, from 1.
  public int column() {
    return column;
  }
}
