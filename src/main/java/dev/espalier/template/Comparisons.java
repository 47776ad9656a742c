package dev.espalier.template;

import dev.espalier.template.Expression.Comparator;
import java.util.Iterator;
import java.util.List;

/// Python's `==`, `<` and `in`.
final class Comparisons {
  private Comparisons() {}

  static boolean holds(Comparator comparator, Object left, Object right) {
    return switch (comparator) {
      case EQUAL -> equal(left, right);
      case NOT_EQUAL -> !equal(left, right);
      case LESS -> ordered(comparator, left, right, -1, -1);
      case LESS_OR_EQUAL -> ordered(comparator, left, right, -1, 0);
      case GREATER -> ordered(comparator, left, right, 1, 1);
      case GREATER_OR_EQUAL -> ordered(comparator, left, right, 1, 0);
      case IN -> contains(right, left);
      case NOT_IN -> !contains(right, left);
    };
  }

  private static boolean ordered(
      Comparator comparator, Object left, Object right, int sign, int orSign) {
    if (isNan(left) || isNan(right)) {
      return false;
    }
    int order = Integer.signum(compare(comparator.symbol, left, right));
    return order == sign || order == orSign;
  }

  private static boolean isNan(Object value) {
    return value instanceof Double d && d.isNaN();
  }

  static boolean equal(Object left, Object right) {
    if (left instanceof String a && right instanceof String b) {
      return a.equals(b);
    }
    var leftText = Types.text(left);
    if (leftText != null) {
      return leftText.equals(Types.text(right));
    }
    var leftNumber = Numbers.number(left);
    var rightNumber = Numbers.number(right);
    if (leftNumber != null && rightNumber != null) {
      return !isNan(left) && !isNan(right) && Numbers.compare(leftNumber, rightNumber) == 0;
    }
    if (left instanceof Value.Undefined) {
      return right instanceof Value.Undefined;
    }
    if (left instanceof List<?> a && right instanceof List<?> b) {
      return left.getClass() == right.getClass() || bothLists(left, right)
          ? equalItems(a, b)
          : false;
    }
    if (left instanceof Dict a && right instanceof Dict b) {
      return equalEntries(a, b);
    }
    return left == right || (left instanceof Value.None && right instanceof Value.None);
  }

  private static boolean bothLists(Object left, Object right) {
    return !(left instanceof Value) && !(right instanceof Value);
  }

  private static boolean equalItems(List<?> left, List<?> right) {
    if (left.size() != right.size()) {
      return false;
    }
    for (int i = 0; i < left.size(); i++) {
      if (!equal(left.get(i), right.get(i))) {
        return false;
      }
    }
    return true;
  }

  private static boolean equalEntries(Dict left, Dict right) {
    if (left.size() != right.size()) {
      return false;
    }
    for (var entry : left.entries().entrySet()) {
      var other = right.get(entry.getKey());
      if (other == null || !equal(entry.getValue(), other)) {
        return false;
      }
    }
    return true;
  }

  /// Negative, zero or positive; a failure if Python would not order the two.
  static int compare(Object left, Object right) {
    return compare("<", left, right);
  }

  private static int compare(String symbol, Object left, Object right) {
    var leftText = Types.text(left);
    var rightText = Types.text(right);
    if (leftText != null && rightText != null) {
      return compareText(leftText, rightText);
    }
    var leftNumber = Numbers.number(left);
    var rightNumber = Numbers.number(right);
    if (leftNumber != null && rightNumber != null) {
      return Numbers.compare(leftNumber, rightNumber);
    }
    boolean alike = left.getClass() == right.getClass() || bothLists(left, right);
    if (alike
        && !(left instanceof Value.Range)
        && left instanceof List<?> a
        && right instanceof List<?> b) {
      return compareItems(symbol, a.iterator(), b.iterator());
    }
    throw Operators.unsupported(symbol, left, right);
  }

  private static int compareItems(String symbol, Iterator<?> left, Iterator<?> right) {
    while (left.hasNext() && right.hasNext()) {
      var a = left.next();
      var b = right.next();
      if (!equal(a, b)) {
        return compare(symbol, a, b);
      }
    }
    return Boolean.compare(left.hasNext(), right.hasNext());
  }

  /// By code points, which is not the order of Java's UTF-16.
  static int compareText(String left, String right) {
    int end = Math.min(left.length(), right.length());
    for (int i = 0; i < end; i++) {
      char a = left.charAt(i);
      char b = right.charAt(i);
      if (a != b) {
        boolean surrogates = Character.isSurrogate(a) != Character.isSurrogate(b);
        return surrogates
            ? Boolean.compare(Character.isSurrogate(a), Character.isSurrogate(b))
            : a - b;
      }
    }
    return left.length() - right.length();
  }

  static boolean contains(Object container, Object item) {
    var text = Types.text(container);
    if (text != null) {
      var part = Types.text(item);
      if (part == null) {
        throw Types.mismatch("a string to look for in a string", item);
      }
      return text.contains(part);
    }
    if (container instanceof Dict dict) {
      return dict.contains(item);
    }
    for (var items = Types.iterate(container); items.hasNext(); ) {
      if (equal(items.next(), item)) {
        return true;
      }
    }
    return false;
  }
}
