package dev.espalier.template;

import dev.espalier.template.Expression.Operator;
import java.util.ArrayList;
import java.util.List;

/// Python's arithmetic operators, on every type that has them.
final class Operators {
  private Operators() {}

  static Object apply(Operator operator, Object left, Object right, Budget budget) {
    if (operator == Operator.ADD && left instanceof String a && right instanceof String b) {
      return join(a, b, budget);
    }
    var leftNumber = Numbers.number(left);
    var rightNumber = Numbers.number(right);
    if (leftNumber != null && rightNumber != null) {
      return Numbers.calculate(operator, leftNumber, rightNumber);
    }
    return switch (operator) {
      case ADD -> add(left, right, budget);
      case MULTIPLY -> multiply(left, right, budget);
      case MODULO -> format(left, right, budget);
      case SUBTRACT, DIVIDE, FLOOR_DIVIDE, POWER -> throw unsupported(operator.symbol, left, right);
    };
  }

  static Failure unsupported(String symbol, Object left, Object right) {
    for (var operand : List.of(left, right)) {
      if (operand instanceof Value.Undefined undefined) {
        return undefined.failure();
      }
    }
    return new Failure(
        "'" + symbol + "' does not apply to " + Types.name(left) + " and " + Types.name(right));
  }

  private static Object add(Object left, Object right, Budget budget) {
    boolean safe = left instanceof Value.Markup || right instanceof Value.Markup;
    if (safe && Types.text(left) != null && Types.text(right) != null) {
      return new Value.Markup(join(Html.escape(left), Html.escape(right), budget));
    }
    if (left instanceof Value.Tuple a && right instanceof Value.Tuple b) {
      return new Value.Tuple(join(a, b, budget));
    }
    if (isList(left) && isList(right)) {
      return join((List<?>) left, (List<?>) right, budget);
    }
    throw unsupported("+", left, right);
  }

  private static boolean isList(Object value) {
    return value instanceof List && !(value instanceof Value);
  }

  private static String join(String left, String right, Budget budget) {
    budget.text((long) left.length() + right.length());
    return left.concat(right);
  }

  private static List<Object> join(List<?> left, List<?> right, Budget budget) {
    budget.items((long) left.size() + right.size());
    var joined = new ArrayList<Object>(left.size() + right.size());
    joined.addAll(left);
    joined.addAll(right);
    return joined;
  }

  private static Object multiply(Object left, Object right, Budget budget) {
    var leftNumber = Numbers.number(left);
    var rightNumber = Numbers.number(right);
    if (leftNumber instanceof Long count) {
      return repeat(right, left, count, budget);
    }
    if (rightNumber instanceof Long count) {
      return repeat(left, right, count, budget);
    }
    throw unsupported("*", left, right);
  }

  private static Object repeat(Object repeated, Object by, long count, Budget budget) {
    int times = Math.clamp(count, 0, Budget.MAX_TEXT + 1);
    return switch (repeated) {
      case String text -> repeatText(text, times, budget);
      case Value.Markup markup -> new Value.Markup(repeatText(markup.text(), times, budget));
      case Value.Tuple tuple -> new Value.Tuple(repeatItems(tuple, times, budget));
      case Value.Range _ -> throw unsupported("*", repeated, by);
      case List<?> list -> repeatItems(list, times, budget);
      default -> throw unsupported("*", repeated, by);
    };
  }

  private static String repeatText(String text, int times, Budget budget) {
    budget.text((long) text.length() * times);
    return text.repeat(times);
  }

  private static List<Object> repeatItems(List<?> items, int times, Budget budget) {
    budget.items((long) items.size() * times);
    var repeated = new ArrayList<Object>(items.size() * times);
    if (!items.isEmpty()) {
      for (int i = 0; i < times; i++) {
        repeated.addAll(items);
      }
    }
    return repeated;
  }

  private static Object format(Object left, Object right, Budget budget) {
    if (left instanceof String pattern) {
      return budget.made(PercentFormat.format(pattern, right));
    }
    throw unsupported("%", left, right);
  }
}
