package dev.espalier.template;

import dev.espalier.template.Value.Callable;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The functions that a template finds without being given them.
final class Functions {
  private static final Map<String, Callable> ALL =
      Map.of(
          "dict", (arguments, _) -> dict(arguments),
          "joiner", (arguments, _) -> joiner(arguments),
          "namespace", (arguments, _) -> namespace(arguments),
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

  private static Dict dict(Arguments arguments) {
    var source = new Arguments(arguments.positional(), Map.of()).bind("source").orNone(0);
    var dict =
        switch (source) {
          case null -> new Dict();
          case Dict other -> other.copy();
          default -> pairs(source);
        };
    arguments.named().forEach(dict::put);
    return dict;
  }

  private static Dict pairs(Object source) {
    var dict = new Dict();
    for (var items = Types.iterate(source); items.hasNext(); ) {
      if (!(items.next() instanceof List<?> pair) || pair.size() != 2) {
        throw new Failure("a dict is made of pairs");
      }
      dict.put(pair.get(0), pair.get(1));
    }
    return dict;
  }

  private static Object namespace(Arguments arguments) {
    var namespace = new Value.Namespace();
    for (var field : dict(arguments).entries().entrySet()) {
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
