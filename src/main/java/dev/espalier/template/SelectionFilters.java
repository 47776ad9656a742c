package dev.espalier.template;

import dev.espalier.template.Value.Generator;
import java.util.Collections;
import java.util.Iterator;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;

/// Filters that choose: between values, or among items by a test.
final class SelectionFilters {
  static final Map<String, Filter> ALL =
      Map.of(
          "attr",
          SelectionFilters::attribute,
          "d",
          SelectionFilters::fallback,
          "default",
          SelectionFilters::fallback,
          "map",
          SelectionFilters::map,
          "reject",
          (input, arguments, interpreter) -> select(input, arguments, false, interpreter.budget()),
          "rejectattr",
          (input, arguments, interpreter) ->
              selectBy(input, arguments, false, interpreter.budget()),
          "select",
          (input, arguments, interpreter) -> select(input, arguments, true, interpreter.budget()),
          "selectattr",
          (input, arguments, interpreter) ->
              selectBy(input, arguments, true, interpreter.budget()));

  private SelectionFilters() {}

  private static Object fallback(Object input, Arguments arguments, Interpreter interpreter) {
    var bound = arguments.bind("default_value", "boolean");
    boolean absent =
        input instanceof Value.Undefined || (bound.truth(1, false) && !Types.truth(input));
    return absent ? bound.or(0, "") : input;
  }

  private static Object attribute(Object input, Arguments arguments, Interpreter interpreter) {
    var name = arguments.bind("name").text(0);
    return input instanceof Dict dict && dict.contains(name)
        ? new Value.Undefined("dict", name)
        : Attributes.attribute(input, name);
  }

  /// Either an attribute of each item, or each item through another filter.
  private static Object map(Object input, Arguments arguments, Interpreter interpreter) {
    Function<Object, Object> change =
        arguments.positional().isEmpty()
            ? byAttribute(arguments, interpreter.budget())
            : byFilter(arguments, interpreter);
    return Generator.over(
        input,
        Lazy.map(
            items(input),
            item -> {
              interpreter.budget().step();
              return change.apply(item);
            }));
  }

  private static Function<Object, Object> byAttribute(Arguments arguments, Budget budget) {
    var bound = arguments.bind("attribute", "default");
    var path = AttributePath.of(bound.required(0));
    var fallback = bound.orNone(1);
    return item -> fallback == null ? path.get(item, budget) : path.get(item, fallback, budget);
  }

  private static Function<Object, Object> byFilter(Arguments arguments, Interpreter interpreter) {
    var name = PythonText.str(arguments.positional().getFirst());
    var filter = Filters.named(name);
    if (filter == null) {
      throw new Failure(Filters.unknown(name));
    }
    var rest = arguments.after(1);
    return item -> filter.apply(item, rest, interpreter);
  }

  private static Object select(Object input, Arguments arguments, boolean wanted, Budget budget) {
    var test = test(arguments, 0, budget);
    return Generator.over(input, Lazy.filter(items(input), item -> test.test(item) == wanted));
  }

  private static Object selectBy(Object input, Arguments arguments, boolean wanted, Budget budget) {
    if (arguments.positional().isEmpty()) {
      throw new Failure("the name of the attribute is missing");
    }
    var path = AttributePath.of(arguments.positional().getFirst());
    var test = test(arguments, 1, budget);
    return Generator.over(
        input, Lazy.filter(items(input), item -> test.test(path.get(item, budget)) == wanted));
  }

  /// The test named by the argument at `index`, or whether an item is true.
  private static Predicate<Object> test(Arguments arguments, int index, Budget budget) {
    if (arguments.positional().size() <= index) {
      return Types::truth;
    }
    var name = PythonText.str(arguments.positional().get(index));
    var test = Tests.named(name);
    if (test == null) {
      throw new Failure(Tests.unknown(name));
    }
    var rest = arguments.after(index + 1);
    return item -> test.holds(item, rest, budget);
  }

  /// The items; none of whatever is not true, as Jinja has it.
  private static Iterator<Object> items(Object input) {
    return Types.truth(input) ? Types.iterate(input) : Collections.emptyIterator();
  }
}
