package dev.espalier.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// Texts cut into pieces.
final class Splitting {
  private Splitting() {}

  /// At white space if no separator is given, else at each separator.
  static Object split(String text, Arguments arguments, boolean fromRight, Budget budget) {
    var bound = arguments.bind("sep", "maxsplit");
    int given = bound.integer(1, -1);
    int most = given < 0 ? Integer.MAX_VALUE : given;
    List<Object> pieces;
    if (bound.orNone(0) == null) {
      pieces = fromRight ? wordsFromRight(text, most) : words(text, most);
    } else {
      var separator = bound.text(0);
      if (separator.isEmpty()) {
        throw new Failure("cannot split at an empty string");
      }
      budget.search(text.length(), separator.length());
      pieces = fromRight ? atFromRight(text, separator, most) : at(text, separator, most);
    }
    budget.items(pieces.size());
    budget.text(text.length());
    return pieces;
  }

  private static List<Object> at(String text, String separator, int most) {
    var pieces = new ArrayList<Object>();
    int from = 0;
    for (int at = text.indexOf(separator);
        at >= 0 && pieces.size() < most;
        at = text.indexOf(separator, from)) {
      pieces.add(text.substring(from, at));
      from = at + separator.length();
    }
    pieces.add(text.substring(from));
    return pieces;
  }

  private static List<Object> atFromRight(String text, String separator, int most) {
    var pieces = new ArrayList<Object>();
    int end = text.length();
    while (pieces.size() < most) {
      int at = text.lastIndexOf(separator, end - separator.length());
      if (at < 0 || end < separator.length()) {
        break;
      }
      pieces.add(text.substring(at + separator.length(), end));
      end = at;
    }
    pieces.add(text.substring(0, end));
    Collections.reverse(pieces);
    return pieces;
  }

  private static List<Object> words(String text, int most) {
    var words = new ArrayList<Object>();
    int at = Strip.skip(text, 0);
    while (at < text.length()) {
      if (words.size() == most) {
        words.add(text.substring(at));
        break;
      }
      int end = at;
      while (end < text.length() && !Strip.isSpace(text.charAt(end))) {
        end++;
      }
      words.add(text.substring(at, end));
      at = Strip.skip(text, end);
    }
    return words;
  }

  private static List<Object> wordsFromRight(String text, int most) {
    var words = new ArrayList<Object>();
    var rest = Strip.right(text);
    while (!rest.isEmpty()) {
      if (words.size() == most) {
        words.add(rest);
        break;
      }
      int start = rest.length();
      while (start > 0 && !Strip.isSpace(rest.charAt(start - 1))) {
        start--;
      }
      words.add(rest.substring(start));
      rest = Strip.right(rest.substring(0, start));
    }
    Collections.reverse(words);
    return words;
  }

  /// What is before the first (or last) separator, the separator, and what is after.
  static Object partition(String text, Arguments arguments, boolean last, Budget budget) {
    var separator = arguments.bind("sep").text(0);
    if (separator.isEmpty()) {
      throw new Failure("cannot split at an empty string");
    }
    budget.search(text.length(), separator.length());
    budget.text(text.length());
    int at = last ? text.lastIndexOf(separator) : text.indexOf(separator);
    if (at < 0) {
      return last ? Value.Tuple.of("", "", text) : Value.Tuple.of(text, "", "");
    }
    return Value.Tuple.of(
        text.substring(0, at), separator, text.substring(at + separator.length()));
  }

  static Object lines(String text, Arguments arguments, Budget budget) {
    boolean keep = arguments.bind("keepends").truth(0, false);
    var lines = new ArrayList<Object>();
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      if (!isBreak(text.charAt(i))) {
        continue;
      }
      boolean pair = text.startsWith("\r\n", i);
      int next = pair ? i + 2 : i + 1;
      lines.add(text.substring(from, keep ? next : i));
      from = next;
      i = next - 1;
    }
    if (from < text.length()) {
      lines.add(text.substring(from));
    }
    budget.items(lines.size());
    budget.text(text.length());
    return lines;
  }

  private static boolean isBreak(char c) {
    return (c >= '\n' && c <= '\r')
        || (c >= 0x1c && c <= 0x1e)
        || c == 0x85
        || c == 0x2028
        || c == 0x2029;
  }
}
