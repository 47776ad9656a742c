package dev.espalier.template;

import dev.espalier.template.Token.Kind;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.regex.Pattern;

/// Cuts the inside of one tag into names, literals and operators, up to the end of the tag.
final class TagLexer {
  private static final Pattern FLOAT =
      Pattern.compile(
          "\\d+(?:_\\d+)*(?:(?:\\.\\d+(?:_\\d+)*)?[eE][+-]?\\d+(?:_\\d+)*|\\.\\d+(?:_\\d+)*)");
  private static final Pattern INTEGER =
      Pattern.compile(
          "0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+|[1-9](?:_?\\d)*|0(?:_?0)*");
  private static final List<String> OPERATORS =
      List.of(
          "//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "(", ")", "[", "]", "{",
          "}", ">", "<", "=", ".", ":", "|", ",", ";");

  private final Source source;
  private final List<Token> tokens;
  private final String closing;

  /// The brackets that are open, by what closes them: within them `}}` and `%}` end no tag.
  private final Deque<String> open = new ArrayDeque<>();

  private int offset;
  private char sign;

  TagLexer(Source source, List<Token> tokens, int offset, String closing) {
    this.source = source;
    this.tokens = tokens;
    this.offset = offset;
    this.closing = closing;
  }

  /// Adds the tokens and returns where the end of the tag stands, its sign included.
  int run(int opening) {
    while (true) {
      offset = Strip.skip(source.text(), offset);
      if (offset >= source.length()) {
        throw source.position(opening).error("a tag is not closed: '" + closing + "' is missing");
      }
      if (open.isEmpty() && atEnd()) {
        return offset;
      }
      next();
    }
  }

  /// The `-` or `+` before the end of the tag, or NUL.
  char sign() {
    return sign;
  }

  private boolean atEnd() {
    if (source.has(closing, offset)) {
      return true;
    }
    char first = source.at(offset);
    boolean signed = first == '-' || (first == '+' && closing.equals("%}"));
    if (signed && source.has(closing, offset + 1)) {
      sign = first;
      return true;
    }
    return false;
  }

  private void next() {
    char first = source.at(offset);
    if (isDigit(first)) {
      number();
    } else if (isNamePart(source.text().codePointAt(offset))) {
      name();
    } else if (first == '\'' || first == '"') {
      string(first);
    } else {
      operator();
    }
  }

  private void number() {
    boolean afterDot = offset > 0 && source.at(offset - 1) == '.';
    var number = FLOAT.matcher(source.text()).region(offset, source.length());
    if (!afterDot && number.lookingAt()) {
      add(Kind.FLOAT, number.group().replace("_", ""), number.end());
      return;
    }
    var integer = INTEGER.matcher(source.text()).region(offset, source.length());
    if (!integer.lookingAt()) {
      throw source.position(offset).error("not a number");
    }
    add(Kind.INTEGER, integer.group().replace("_", ""), integer.end());
  }

  private void name() {
    int end = offset;
    while (end < source.length() && isNamePart(source.text().codePointAt(end))) {
      end += Character.charCount(source.text().codePointAt(end));
    }
    add(Kind.NAME, source.text().substring(offset, end), end);
  }

  private void string(char quote) {
    int end = offset + 1;
    while (source.at(end) != quote) {
      end += source.at(end) == '\\' ? 2 : 1;
      if (end >= source.length()) {
        throw source.position(offset).error("a string is not closed");
      }
    }
    try {
      add(Kind.STRING, StringLiteral.unescape(source.text().substring(offset + 1, end)), end + 1);
    } catch (Failure failure) {
      throw source.position(offset).error(failure.what());
    }
  }

  private void operator() {
    for (var operator : OPERATORS) {
      if (source.has(operator, offset)) {
        balance(operator);
        add(Kind.OPERATOR, operator, offset + operator.length());
        return;
      }
    }
    int unexpected = source.text().codePointAt(offset);
    throw source
        .position(offset)
        .error("unexpected character '" + Character.toString(unexpected) + "'");
  }

  private void balance(String operator) {
    switch (operator) {
      case "(" -> open.push(")");
      case "[" -> open.push("]");
      case "{" -> open.push("}");
      case ")", "]", "}" -> {
        var expected = open.poll();
        if (expected == null) {
          throw source.position(offset).error("unexpected '" + operator + "'");
        }
        if (!expected.equals(operator)) {
          throw source
              .position(offset)
              .error("unexpected '" + operator + "', expected '" + expected + "'");
        }
      }
      default -> {}
    }
  }

  private void add(Kind kind, String text, int end) {
    tokens.add(new Token(kind, text, source.position(offset)));
    offset = end;
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static boolean isNamePart(int codePoint) {
    return codePoint == '_' || Character.isLetterOrDigit(codePoint);
  }
}
