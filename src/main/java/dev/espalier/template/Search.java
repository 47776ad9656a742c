package dev.espalier.template;

import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Where and whether one text is in another. Places count in code points.
final class Search {
  private Search() {}

  static boolean startsWith(String text, Arguments arguments) {
    var bound = arguments.bind("prefix", "start", "end");
    var part = Part.of(text, bound);
    return part != null && any(bound.required(0), prefix -> part.text().startsWith(prefix));
  }

  static boolean endsWith(String text, Arguments arguments) {
    var bound = arguments.bind("suffix", "start", "end");
    var part = Part.of(text, bound);
    return part != null && any(bound.required(0), suffix -> part.text().endsWith(suffix));
  }

  private static boolean any(Object wanted, Predicate<String> holds) {
    List<?> all = wanted instanceof Value.Tuple tuple ? tuple : List.of(wanted);
    for (var one : all) {
      var text = Types.text(one);
      if (text == null) {
        throw Types.mismatch("a string or a tuple of strings", one);
      }
      if (holds.test(text)) {
        return true;
      }
    }
    return false;
  }

  static Object count(String text, Arguments arguments, Budget budget) {
    var bound = arguments.bind("sub", "start", "end");
    var wanted = bound.text(0);
    budget.search(text.length(), wanted.length());
    var part = Part.of(text, bound);
    if (part == null) {
      return 0L;
    }
    if (wanted.isEmpty()) {
      return Types.size(part.text()) + 1L;
    }
    long count = 0;
    for (int at = part.text().indexOf(wanted);
        at >= 0;
        at = part.text().indexOf(wanted, at + wanted.length())) {
      count++;
    }
    return count;
  }

  /// The place of the first (or last) occurrence, or -1.
  static Object find(String text, Arguments arguments, boolean last, Budget budget) {
    var bound = arguments.bind("sub", "start", "end");
    var wanted = bound.text(0);
    budget.search(text.length(), wanted.length());
    var part = Part.of(text, bound);
    if (part == null) {
      return -1L;
    }
    int at = last ? part.text().lastIndexOf(wanted) : part.text().indexOf(wanted);
    return at < 0 ? -1L : part.start() + (long) part.text().codePointCount(0, at);
  }

  static Object index(String text, Arguments arguments, boolean last, Budget budget) {
    var found = find(text, arguments, last, budget);
    if (found.equals(-1L)) {
      throw new Failure("the text is not in the string");
    }
    return found;
  }

  /// The part of a text between two places.
  private record Part(String text, int start) {
    static @Nullable Part of(String text, Arguments.Bound bound) {
      if (bound.orNone(1) == null && bound.orNone(2) == null) {
        return new Part(text, 0);
      }
      int size = Types.size(text);
      int start = bound.orNone(1) == null ? 0 : place(bound.integer(1, 0), size);
      int end = bound.orNone(2) == null ? size : Math.min(size, place(bound.integer(2, 0), size));
      if (start > end) {
        return null;
      }
      int from = text.offsetByCodePoints(0, start);
      return new Part(text.substring(from, text.offsetByCodePoints(from, end - start)), start);
    }

    private static int place(int index, int size) {
      return index < 0 ? Math.max(0, index + size) : index;
    }
  }
}
