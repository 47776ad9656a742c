package dev.espalier.template;

/// The escapes of a Python string literal.
final class StringLiteral {
  private StringLiteral() {}

  /// What the text between the quotes stands for. An escape that Python does not know stays as it
  /// is.
  static String unescape(String literal) {
    if (literal.indexOf('\\') < 0) {
      return literal;
    }
    var text = new StringBuilder(literal.length());
    int i = 0;
    while (i < literal.length()) {
      char c = literal.charAt(i);
      if (c != '\\') {
        text.append(c);
        i++;
        continue;
      }
      char escape = literal.charAt(i + 1);
      i += 2;
      switch (escape) {
        case '\n' -> {} // a line that goes on
        case '\\', '\'', '"' -> text.append(escape);
        case 'a' -> text.append('\u0007');
        case 'b' -> text.append('\b');
        case 'f' -> text.append('\f');
        case 'n' -> text.append('\n');
        case 'r' -> text.append('\r');
        case 't' -> text.append('\t');
        case 'v' -> text.append('\u000b');
        case 'x' -> i = hexadecimal(literal, i, 2, text);
        case 'u' -> i = hexadecimal(literal, i, 4, text);
        case 'U' -> i = hexadecimal(literal, i, 8, text);
        case 'N' -> i = named(literal, i, text);
        case '0', '1', '2', '3', '4', '5', '6', '7' -> i = octal(literal, i - 1, text);
        default -> text.append('\\').append(escape);
      }
    }
    return text.toString();
  }

  private static int hexadecimal(String literal, int from, int digits, StringBuilder text) {
    int value = 0;
    for (int i = from; i < from + digits; i++) {
      int digit = i < literal.length() ? Character.digit(literal.charAt(i), 16) : -1;
      if (digit < 0 || (value << 4 >>> 4) != value) {
        throw new Failure("an escape in a string needs " + digits + " hexadecimal digits");
      }
      value = value << 4 | digit;
    }
    if (!Character.isValidCodePoint(value)) {
      throw new Failure("an escape in a string is beyond the last character of Unicode");
    }
    text.appendCodePoint(value);
    return from + digits;
  }

  private static int octal(String literal, int from, StringBuilder text) {
    int end = from;
    int value = 0;
    while (end < from + 3
        && end < literal.length()
        && "01234567".indexOf(literal.charAt(end)) >= 0) {
      value = value * 8 + literal.charAt(end) - '0';
      end++;
    }
    text.append((char) value);
    return end;
  }

  private static int named(String literal, int from, StringBuilder text) {
    int end = literal.indexOf('}', from);
    if (end < 0 || literal.charAt(from) != '{') {
      throw new Failure("an escape in a string names no character: write \\N{NAME}");
    }
    var name = literal.substring(from + 1, end);
    try {
      text.appendCodePoint(Character.codePointOf(name));
    } catch (IllegalArgumentException e) {
      throw new Failure("an escape in a string names no character: " + name);
    }
    return end + 1;
  }
}
