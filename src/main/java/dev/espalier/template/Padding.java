package dev.espalier.template;

/// Text made as wide as it should be.
final class Padding {
  enum Side {
    LEFT,
    RIGHT,
    BOTH
  }

  private Padding() {}

  /// @param side where the padding goes
  static String pad(String text, Arguments arguments, Side side, Budget budget) {
    var bound = arguments.bind("width", "fillchar");
    bound.required(0);
    var fill = bound.text(1, " ");
    if (Types.size(fill) != 1) {
      throw new Failure("the fill character must be one character");
    }
    return pad(text, bound.integer(0, 0), fill, side, budget);
  }

  static String pad(String text, int width, String fill, Side side, Budget budget) {
    int missing = Math.max(0, width - Types.size(text));
    budget.text(text.length() + (long) missing * fill.length());
    int left =
        switch (side) {
          case LEFT -> missing;
          case RIGHT -> 0;
          case BOTH -> missing / 2 + (missing & width & 1); // as CPython rounds
        };
    return fill.repeat(left) + text + fill.repeat(missing - left);
  }

  /// Zeros on the left, after the sign.
  static String zeros(String text, Arguments arguments, Budget budget) {
    var bound = arguments.bind("width");
    bound.required(0);
    int missing = Math.max(0, bound.integer(0, 0) - Types.size(text));
    budget.text((long) text.length() + missing);
    boolean signed = text.startsWith("-") || text.startsWith("+");
    int sign = signed ? 1 : 0;
    return text.substring(0, sign) + "0".repeat(missing) + text.substring(sign);
  }

  static String expandTabs(String text, Arguments arguments, Budget budget) {
    int size = Math.max(0, arguments.bind("tabsize").integer(0, 8));
    var expanded = new StringBuilder();
    int column = 0;
    for (int c : text.codePoints().toArray()) {
      if (c == '\t') {
        int spaces = size == 0 ? 0 : size - column % size;
        budget.text((long) expanded.length() + spaces, spaces);
        expanded.repeat(' ', spaces);
        column += spaces;
      } else {
        expanded.appendCodePoint(c);
        column = c == '\n' || c == '\r' ? 0 : column + 1;
      }
    }
    return budget.made(expanded.toString());
  }
}
