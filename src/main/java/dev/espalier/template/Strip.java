package dev.espalier.template;

/// White space as Python sees it, and its removal.
final class Strip {
  private Strip() {}

  static boolean isSpace(int c) {
    if (c <= ' ') {
      return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
    }
    return c == 0x85
        || Character.getType(c) == Character.SPACE_SEPARATOR
        || c == 0x2028
        || c == 0x2029;
  }

  /// The first offset at or after `from` that is no white space.
  static int skip(String text, int from) {
    int i = from;
    while (i < text.length() && isSpace(text.charAt(i))) {
      i++;
    }
    return i;
  }

  static boolean isBlank(String text, int from) {
    return skip(text, from) == text.length();
  }

  static String left(String text) {
    return text.substring(skip(text, 0));
  }

  static String right(String text) {
    int end = text.length();
    while (end > 0 && isSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(0, end);
  }

  /// Removes the characters of `set` from the left.
  static String left(String text, String set) {
    int i = 0;
    while (i < text.length() && set.indexOf(text.codePointAt(i)) >= 0) {
      i += Character.charCount(text.codePointAt(i));
    }
    return text.substring(i);
  }

  /// Removes the characters of `set` from the right.
  static String right(String text, String set) {
    int end = text.length();
    while (end > 0 && set.indexOf(text.codePointBefore(end)) >= 0) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(0, end);
  }
}
