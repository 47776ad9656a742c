package dev.espalier.template;

import java.math.BigInteger;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What Python would say of a value: its type's name, whether it is true, its size, its items.
final class Types {
  private Types() {}

  static String name(Object value) {
    return switch (value) {
      case Boolean _ -> "bool";
      case Long _, BigInteger _ -> "int";
      case Double _ -> "float";
      case String _ -> "str";
      case Value.Tuple _ -> "tuple";
      case Value.Range _ -> "range";
      case List<?> _ -> "list";
      case Value other ->
          switch (other) {
            case Value.None _ -> "None";
            case Value.Undefined _ -> "undefined";
            case Value.Markup _ -> "safe text";
            case Value.Tuple _ -> "tuple";
            case Value.Range _ -> "range";
            case Value.View view -> view.kind();
            case Value.Generator _ -> "generator";
            case Value.Namespace _ -> "namespace";
            case Value.Callable _ -> "function";
            case Dict _ -> "dict";
            case Loop _ -> "loop";
          };
      default -> throw foreign(value);
    };
  }

  static boolean truth(Object value) {
    return switch (value) {
      case Boolean truth -> truth;
      case String text -> !text.isEmpty();
      case Long number -> number != 0;
      case Double number -> number != 0;
      case BigInteger number -> number.signum() != 0;
      case List<?> list -> !list.isEmpty();
      case Value.None _, Value.Undefined _ -> false;
      case Dict dict -> dict.size() > 0;
      case Value.Markup markup -> !markup.text().isEmpty();
      case Value.View view -> !view.items().isEmpty();
      default -> true;
    };
  }

  /// Python's `len`, or -1 where it has none. Text counts in code points.
  static int size(Object value) {
    return switch (value) {
      case String text -> text.codePointCount(0, text.length());
      case List<?> list -> list.size();
      case Dict dict -> dict.size();
      case Value.Undefined _ -> 0;
      case Value.Markup markup -> size(markup.text());
      case Value.View view -> view.items().size();
      case Loop loop -> loop.size();
      default -> -1;
    };
  }

  /// The items of whatever can be walked: characters of a text, keys of a dict.
  static Iterator<Object> iterate(Object value) {
    var items = iterator(value);
    if (items == null) {
      throw new Failure("a value of type " + name(value) + " cannot be iterated");
    }
    return items;
  }

  static boolean isIterable(Object value) {
    return iterator(value) != null;
  }

  @SuppressWarnings("unchecked") // every list of a template holds objects
  private static @Nullable Iterator<Object> iterator(Object value) {
    return switch (value) {
      case List<?> list -> ((List<Object>) list).iterator();
      case String text -> characters(text);
      case Dict dict -> Collections.unmodifiableSet(dict.entries().keySet()).iterator();
      case Value.Generator generator -> generator.items();
      case Value.View view -> view.items().iterator();
      case Value.Undefined _ -> Collections.emptyIterator();
      case Value.Markup markup -> characters(markup.text());
      default -> null;
    };
  }

  private static Iterator<Object> characters(String text) {
    return text.codePoints().<Object>mapToObj(Character::toString).iterator();
  }

  /// The text of a string, safe or not; null of anything else.
  static @Nullable String text(Object value) {
    return switch (value) {
      case String text -> text;
      case Value.Markup markup -> markup.text();
      default -> null;
    };
  }

  /// The error about a value that is not what an operation needs.
  static Failure mismatch(String expected, Object value) {
    return value instanceof Value.Undefined undefined
        ? undefined.failure()
        : new Failure("expected " + expected + ", found a value of type " + name(value));
  }

  static IllegalStateException foreign(Object value) {
    return new IllegalStateException("not a value of a template: " + value.getClass());
  }
}
