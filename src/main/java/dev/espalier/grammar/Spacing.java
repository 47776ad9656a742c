package dev.espalier.grammar;

/// The white space that JSON may be written with.
///
/// @param line where a line may end: after a bracket or a comma, and before a closing bracket
/// @param space after a colon
record Spacing(Rule line, Rule space) {
  private static final Rule SPACE = Rule.optional(Rule.text(" "));

  /// All in one line.
  static final Spacing LINE = new Spacing(SPACE, SPACE);

  /// In lines that are indented, or in one.
  static final Spacing FREE =
      new Spacing(
          Rule.choice(
              Rule.EMPTY,
              Rule.text(" "),
              Rule.sequence(Rule.text("\n"), Rule.times(Rule.text(" "), 0, 32))),
          SPACE);
}
