package dev.espalier.eval;

import java.util.Locale;

/// What became of one held-out turn. Where a call is wrong in several ways, the first one counts,
/// in the order in which they stand here.
public enum Grade {
  /// The calls, or the text, are those expected.
  EXACT,
  /// The model failed: no answer to judge.
  ERROR,
  /// A call whose arguments are no JSON object, or that its chat format could not read.
  UNPARSEABLE,
  /// Text where a call was expected.
  NO_CALL,
  /// Another tool, a call too many or one too few.
  WRONG_TOOL,
  /// The right tools, but an argument is missing or was not expected.
  WRONG_ARGUMENT,
  /// The right arguments, but a value differs.
  WRONG_VALUE,
  /// A call where text was expected.
  FALSE_CALL,
  /// Text where text was expected, but another one.
  OTHER_TEXT;

  /// The word used in JSON.
  public String wire() {
    return name().toLowerCase(Locale.ROOT);
  }
}
