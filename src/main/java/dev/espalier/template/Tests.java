package dev.espalier.template;

import dev.espalier.template.Expression.Comparator;
import dev.espalier.template.Expression.Operator;
import java.math.BigInteger;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Every test by its name.
final class Tests {
  private static final Map<String, Test> ALL = all();

  private Tests() {}

  static @Nullable Test named(String name) {
    return ALL.get(name);
  }

  /// The error about a test that `named` does not know.
  static String unknown(String name) {
    return "unknown test '" + name + "'";
  }

  private static Map<String, Test> all() {
    var all = new HashMap<String, Test>();
    all.put("boolean", plain(Boolean.class::isInstance));
    all.put("callable", plain(Tests::isCallable));
    all.put("defined", plain(value -> !(value instanceof Value.Undefined)));
    all.put("divisibleby", Tests::divides);
    all.put("escaped", plain(Value.Markup.class::isInstance));
    all.put("even", plain(value -> remainder(value, 2L).equals(0L)));
    all.put("false", plain(Boolean.FALSE::equals));
    all.put("filter", plain(value -> value instanceof String name && Filters.named(name) != null));
    all.put("float", plain(Double.class::isInstance));
    all.put("in", comparison(Comparator.IN));
    all.put("integer", plain(value -> value instanceof Long || value instanceof BigInteger));
    all.put("iterable", plain(value -> value instanceof Loop || Types.isIterable(value)));
    all.put("lower", casing(Casing::isLower));
    all.put("mapping", plain(Dict.class::isInstance));
    all.put("none", plain(Value.None.class::isInstance));
    all.put("number", plain(Numbers::isNumber));
    all.put("odd", plain(value -> remainder(value, 2L).equals(1L)));
    all.put("sameas", Tests::same);
    all.put("sequence", plain(Tests::isSequence));
    all.put("string", plain(value -> Types.text(value) != null));
    all.put("test", plain(value -> value instanceof String name && named(name) != null));
    all.put("true", plain(Boolean.TRUE::equals));
    all.put("undefined", plain(Value.Undefined.class::isInstance));
    all.put("upper", casing(Casing::isUpper));
    compare(all, Comparator.EQUAL, "==", "eq", "equalto");
    compare(all, Comparator.NOT_EQUAL, "!=", "ne");
    compare(all, Comparator.LESS, "<", "lt", "lessthan");
    compare(all, Comparator.LESS_OR_EQUAL, "<=", "le");
    compare(all, Comparator.GREATER, ">", "gt", "greaterthan");
    compare(all, Comparator.GREATER_OR_EQUAL, ">=", "ge");
    return Map.copyOf(all);
  }

  private static Test plain(Predicate<Object> holds) {
    return (input, arguments, _) -> {
      arguments.bind();
      return holds.test(input);
    };
  }

  private static Test casing(Predicate<String> holds) {
    return (input, arguments, budget) -> {
      arguments.bind();
      return holds.test(budget.made(PythonText.str(input)));
    };
  }

  private static void compare(Map<String, Test> all, Comparator comparator, String... names) {
    for (var name : names) {
      all.put(name, comparison(comparator));
    }
  }

  private static Test comparison(Comparator comparator) {
    return (input, arguments, budget) ->
        Comparisons.holds(comparator, input, arguments.bind("other").required(0), budget);
  }

  private static boolean isCallable(Object value) {
    return value instanceof Value.Callable
        || value instanceof Value.Undefined
        || value instanceof Loop;
  }

  /// What has a length and items by index or key.
  private static boolean isSequence(Object value) {
    return value instanceof List
        || value instanceof Dict
        || value instanceof Value.Undefined
        || Types.text(value) != null;
  }

  private static Object remainder(Object value, Object divisor) {
    var number = Numbers.number(value);
    var by = Numbers.number(divisor);
    if (number == null || by == null) {
      throw Operators.unsupported("%", value, divisor);
    }
    var rest = Numbers.calculate(Operator.MODULO, number, by);
    return rest instanceof Double d && d == Math.rint(d) ? (Object) Math.round(d) : rest;
  }

  private static boolean divides(Object input, Arguments arguments, Budget budget) {
    return remainder(input, arguments.bind("num").required(0)).equals(0L);
  }

  @SuppressWarnings("ReferenceEquality") // that is what it asks
  private static boolean same(Object input, Arguments arguments, Budget budget) {
    var other = arguments.bind("other").required(0);
    if (input instanceof Boolean || input instanceof Value.None) {
      return input.equals(other);
    }
    if (input.getClass() == other.getClass() && !(input instanceof Value)) {
      throw new Failure("'sameas' of a " + Types.name(input) + " is not supported: use '=='");
    }
    return input == other;
  }
}
