package dev.espalier.template;

import dev.espalier.template.Expression.Comparator;
import java.util.Iterator;
import java.util.List;

/// Python's `==`, `<` and `in`.
final class Comparisons {
  private Comparisons() {}

  static boolean holds(Comparator comparator, Object left, Object right, Budget budget) {
    return switch (comparator) {
      case EQUAL -> equal(left, right, budget);
      case NOT_EQUAL -> !equal(left, right, budget);
      case LESS -> ordered(comparator, left, right, -1, -1, budget);
      case LESS_OR_EQUAL -> ordered(comparator, left, right, -1, 0, budget);
      case GREATER -> ordered(comparator, left, right, 1, 1, budget);
      case GREATER_OR_EQUAL -> ordered(comparator, left, right, 1, 0, budget);
      case IN -> contains(right, left, budget);
      case NOT_IN -> !contains(right, left, budget);
    };
  }

  private static boolean ordered(
      Comparator comparator, Object left, Object right, int sign, int orSign, Budget budget) {
    if (isNan(left) || isNan(right)) {
      return false;
    }
    int order = Integer.signum(compare(comparator.symbol, left, right, budget));
    return order == sign || order == orSign;
  }

  private static boolean isNan(Object value) {
    return value instanceof Double d && d.isNaN();
  }

  @SuppressWarnings("ReferenceEquality") // functions and namespaces equal only themselves
  static boolean equal(Object left, Object right, Budget budget) {
    budget.step();
    var leftText = Types.text(left);
    if (leftText != null) {
      budget.scan(leftText.length());
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
      boolean alike = left.getClass() == right.getClass() || bothLists(left, right);
      return alike && equalItems(a, b, budget);
    }
    if (left instanceof Dict a && right instanceof Dict b) {
      return equalEntries(a, b, budget);
    }
    return left == right;
  }

  private static boolean bothLists(Object left, Object right) {
    return !(left instanceof Value) && !(right instanceof Value);
  }

  private static boolean equalItems(List<?> left, List<?> right, Budget budget) {
    if (left.size() != right.size()) {
      return false;
    }
    for (int i = 0; i < left.size(); i++) {
      if (!same(left.get(i), right.get(i), budget)) {
        return false;
      }
    }
    return true;
  }

  /// Within a list or a dict, what is the same is equal, even a NaN.
  @SuppressWarnings("ReferenceEquality")
  private static boolean same(Object left, Object right, Budget budget) {
    return left == right || equal(left, right, budget);
  }

  private static boolean equalEntries(Dict left, Dict right, Budget budget) {
    if (left.size() != right.size()) {
      return false;
    }
    for (var entry : left.entries().entrySet()) {
      var other = right.get(entry.getKey());
      if (other == null || !same(entry.getValue(), other, budget)) {
        return false;
      }
    }
    return true;
  }

  /// Negative, zero or positive; a failure if Python would not order the two.
  static int compare(Object left, Object right, Budget budget) {
    return compare("<", left, right, budget);
  }

  private static int compare(String symbol, Object left, Object right, Budget budget) {
    budget.step();
    var leftText = Types.text(left);
    var rightText = Types.text(right);
    if (leftText != null && rightText != null) {
      budget.scan(Math.min(leftText.length(), rightText.length()));
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
      return compareItems(symbol, a.iterator(), b.iterator(), budget);
    }
    throw Operators.unsupported(symbol, left, right);
  }

  private static int compareItems(
      String symbol, Iterator<?> left, Iterator<?> right, Budget budget) {
    while (left.hasNext() && right.hasNext()) {
      var a = left.next();
      var b = right.next();
      if (!same(a, b, budget)) {
        return compare(symbol, a, b, budget);
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

  static boolean contains(Object container, Object item, Budget budget) {
    var text = Types.text(container);
    if (text != null) {
      var part = Types.text(item);
      if (part == null) {
        throw Types.mismatch("a string to look for in a string", item);
      }
      budget.search(text.length(), part.length());
      return text.contains(part);
    }
    if (container instanceof Dict dict) {
      return dict.contains(item);
    }
    for (var items = Types.iterate(container); items.hasNext(); ) {
      if (same(items.next(), item, budget)) {
        return true;
      }
    }
    return false;
  }
}
