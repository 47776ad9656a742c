package dev.espalier.template;

import java.util.Arrays;

/// The text of a template with its line breaks made `\n`, and where each line starts.
///
/// As Jinja does, drops one line break at the very end.
final class Source {
  private final String text;
  private final int[] lineStarts;

  Source(String original) {
    var normal = normalLines(original);
    text = normal.endsWith("\n") ? normal.substring(0, normal.length() - 1) : normal;
    lineStarts = lineStarts(text);
  }

  /// Carriage returns, alone or before a line feed, become line feeds.
  static String normalLines(String text) {
    return text.indexOf('\r') < 0 ? text : text.replace("\r\n", "\n").replace('\r', '\n');
  }

  String text() {
    return text;
  }

  int length() {
    return text.length();
  }

  boolean has(String piece, int offset) {
    return text.startsWith(piece, offset);
  }

  /// The character at `offset`, or NUL past the end.
  char at(int offset) {
    return offset < text.length() ? text.charAt(offset) : '\0';
  }

  Position position(int offset) {
    int found = Arrays.binarySearch(lineStarts, offset);
    int line = found >= 0 ? found : -found - 2;
    return new Position(line + 1, text.codePointCount(lineStarts[line], offset) + 1);
  }

  private static int[] lineStarts(String text) {
    var starts = new int[1 + (int) text.chars().filter(c -> c == '\n').count()];
    int line = 0;
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) == '\n') {
        starts[++line] = i + 1;
      }
    }
    return starts;
  }
}
