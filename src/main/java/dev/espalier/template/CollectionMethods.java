package dev.espalier.template;

import dev.espalier.template.Value.Callable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The methods of dicts and lists that change nothing.
final class CollectionMethods {
  private CollectionMethods() {}

  static @Nullable Callable of(Dict dict, String name) {
    return switch (name) {
      case "get" -> (arguments, _) -> get(dict, arguments);
      case "items" -> view("dict_items", dict, name);
      case "keys" -> view("dict_keys", dict, name);
      case "values" -> view("dict_values", dict, name);
      case "copy" ->
          (arguments, interpreter) -> {
            arguments.bind();
            interpreter.budget().items(dict.size());
            return dict.copy();
          };
      case "fromkeys" -> throw new Failure("'fromkeys' of a dict is not supported");
      default -> null;
    };
  }

  private static Object get(Dict dict, Arguments arguments) {
    if (!arguments.named().isEmpty()) {
      throw new Failure("'get' takes no named arguments");
    }
    var bound = arguments.bind("key", "default");
    var value = dict.get(bound.required(0));
    return value == null ? bound.or(1, Value.None.NONE) : value;
  }

  private static Callable view(String kind, Dict dict, String name) {
    return (arguments, interpreter) -> {
      arguments.bind();
      interpreter.budget().items(dict.size());
      return new Value.View(
          kind,
          switch (name) {
            case "keys" -> dict.keys();
            case "values" -> dict.values();
            default -> dict.items();
          });
    };
  }

  static @Nullable Callable of(List<?> list, String name) {
    return switch (name) {
      case "count" ->
          (arguments, interpreter) ->
              count(list, arguments.bind("value").required(0), interpreter.budget());
      case "index" ->
          (arguments, interpreter) ->
              index(list, arguments.bind("value").required(0), interpreter.budget());
      case "copy" -> {
        if (list instanceof Value) {
          yield null;
        }
        yield (arguments, interpreter) -> {
          arguments.bind();
          return Slices.slice(list, null, null, null, interpreter.budget());
        };
      }
      default -> null;
    };
  }

  private static Object count(List<?> list, Object value, Budget budget) {
    return list.stream().filter(item -> Comparisons.equal(item, value, budget)).count();
  }

  private static Object index(List<?> list, Object value, Budget budget) {
    for (int i = 0; i < list.size(); i++) {
      if (Comparisons.equal(list.get(i), value, budget)) {
        return (long) i;
      }
    }
    throw new Failure("the value is not in the list");
  }
}
