package dev.espalier.template;

import dev.espalier.template.Value.Callable;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The functions that a template finds without being given them.
final class Functions {
  private static final Map<String, Callable> ALL =
      Map.of(
          "dict", (arguments, interpreter) -> dict(arguments, interpreter),
          "joiner", (arguments, _) -> joiner(arguments),
          "namespace", (arguments, interpreter) -> namespace(arguments, interpreter),
          "raise_exception", (arguments, _) -> raise(arguments),
          "range", (arguments, _) -> range(arguments),
          "strftime_now",
              (arguments, interpreter) ->
                  Strftime.format(arguments.bind("format").text(0), interpreter.now()),
          "cycler", (_, _) -> unsupported("cycler"),
          "lipsum", (_, _) -> unsupported("lipsum"));

  private Functions() {}

  static @Nullable Callable named(String name) {
    return ALL.get(name);
  }

  private static Object unsupported(String name) {
    throw new Failure("the function '" + name + "' is not supported");
  }

  private static Object raise(Arguments arguments) {
    throw new Failure(PythonText.str(arguments.bind("message").required(0)));
  }

  private static Object range(Arguments arguments) {
    var bound = arguments.bind("start", "stop", "step");
    var first = whole(bound.required(0));
    return bound.has(1)
        ? new Value.Range(first, whole(bound.required(1)), whole(bound.or(2, 1L)))
        : new Value.Range(0, first, 1);
  }

  private static long whole(Object value) {
    if (Numbers.number(value) instanceof Long number) {
      return number;
    }
    throw Types.mismatch("a whole number", value);
  }

  private static Dict dict(Arguments arguments, Interpreter interpreter) {
    var source = new Arguments(arguments.positional(), Map.of()).bind("source").orNone(0);
    var dict =
        switch (source) {
          case null -> new Dict();
          case Dict other -> {
            interpreter.budget().items(other.size());
            yield other.copy();
          }
          default -> pairs(source, interpreter.budget());
        };
    arguments.named().forEach(dict::put);
    return dict;
  }

  private static Dict pairs(Object source, Budget budget) {
    var dict = new Dict();
    for (var items = Types.iterate(source); items.hasNext(); ) {
      budget.items(1 + dict.size() / 8); // a number as a key is looked for among all
      if (!(items.next() instanceof List<?> pair) || pair.size() != 2) {
        throw new Failure("a dict is made of pairs");
      }
      dict.put(pair.get(0), pair.get(1));
    }
    return dict;
  }

  private static Object namespace(Arguments arguments, Interpreter interpreter) {
    var namespace = new Value.Namespace();
    for (var field : dict(arguments, interpreter).entries().entrySet()) {
      if (!(field.getKey() instanceof String name)) {
        throw new Failure("the fields of a namespace are named by strings");
      }
      namespace.fields().put(name, field.getValue());
    }
    return namespace;
  }

  /// A function that gives nothing the first time, then the separator.
  private static Callable joiner(Arguments arguments) {
    var separator = arguments.bind("sep").or(0, ", ");
    var used = new boolean[1];
    return (_, _) -> {
      boolean first = !used[0];
      used[0] = true;
      return first ? "" : separator;
    };
  }
}
