package dev.espalier.template;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a function, a method, a filter or a test is called with.
record Arguments(List<Object> positional, Map<String, Object> named) {
  static final Arguments NONE = new Arguments(List.of(), Map.of());

  /// Gives each argument to the parameter it is for.
  ///
  /// @throws Failure if there is one that no parameter takes
  Bound bind(String... parameters) {
    if (positional.size() > parameters.length) {
      throw new Failure("at most " + parameters.length + " arguments are possible here");
    }
    var values = new @Nullable Object[parameters.length];
    for (int i = 0; i < positional.size(); i++) {
      values[i] = positional.get(i);
    }
    for (var argument : named.entrySet()) {
      int index = List.of(parameters).indexOf(argument.getKey());
      if (index < 0) {
        throw new Failure("there is no argument '" + argument.getKey() + "' here");
      }
      if (values[index] != null) {
        throw new Failure("the argument '" + argument.getKey() + "' is given twice");
      }
      values[index] = argument.getValue();
    }
    return new Bound(parameters, values);
  }

  /// The arguments less the first `count` positional ones.
  Arguments after(int count) {
    return new Arguments(positional.subList(count, positional.size()), named);
  }

  /// Arguments by the place of their parameter.
  static final class Bound {
    private final String[] parameters;
    private final @Nullable Object[] values;

    private Bound(String[] parameters, @Nullable Object[] values) {
      this.parameters = parameters;
      this.values = values;
    }

    boolean has(int index) {
      return values[index] != null;
    }

    Object required(int index) {
      var value = values[index];
      if (value == null) {
        throw new Failure("the argument '" + parameters[index] + "' is missing");
      }
      return value;
    }

    Object or(int index, Object fallback) {
      var value = values[index];
      return value == null ? fallback : value;
    }

    /// The argument, or null if it is absent or `none`.
    @Nullable Object orNone(int index) {
      var value = values[index];
      return value instanceof Value.None ? null : value;
    }

    boolean truth(int index, boolean fallback) {
      var value = values[index];
      return value == null ? fallback : Types.truth(value);
    }

    String text(int index) {
      return text(index, required(index));
    }

    String text(int index, String fallback) {
      return text(index, or(index, fallback));
    }

    private String text(int index, Object value) {
      var text = Types.text(value);
      if (text == null) {
        throw wrong(index, "a string", value);
      }
      return text;
    }

    int integer(int index, int fallback) {
      var value = or(index, (long) fallback);
      if (Numbers.number(value) instanceof Long number) {
        return Math.clamp(number, Integer.MIN_VALUE, Integer.MAX_VALUE);
      }
      throw wrong(index, "a whole number", value);
    }

    private Failure wrong(int index, String expected, Object value) {
      return Types.mismatch(expected + " as the argument '" + parameters[index] + "'", value);
    }
  }
}
