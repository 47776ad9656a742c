package dev.espalier.template;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// `value.name` and `value[key]`, which in Jinja stand in for each other.
final class Attributes {
  /// What Python's lists and dicts can do to themselves, and the sandbox of templates forbids.
  private static final Set<String> CHANGES =
      Set.of(
          "append",
          "clear",
          "extend",
          "insert",
          "pop",
          "popitem",
          "remove",
          "reverse",
          "setdefault",
          "sort",
          "update");

  private static final Set<String> OF_NUMBERS =
      Set.of(
          "as_integer_ratio",
          "bit_count",
          "bit_length",
          "conjugate",
          "denominator",
          "from_bytes",
          "fromhex",
          "hex",
          "imag",
          "is_integer",
          "numerator",
          "real",
          "to_bytes");

  private Attributes() {}

  /// The attribute of that name, else the item with that key, else undefined.
  static Object attribute(Object owner, String name) {
    var own = ownAttribute(owner, name);
    if (own != null) {
      return own;
    }
    var item = owner instanceof Dict dict ? dict.get(name) : null;
    return item == null ? missing(owner, name) : item;
  }

  /// The item with that key, else the attribute of that name, else undefined.
  static Object item(Object owner, Object key, Budget budget) {
    if (owner instanceof Value.Undefined undefined) {
      throw undefined.failure();
    }
    var item = ownItem(owner, key, budget);
    if (item != null) {
      return item;
    }
    var name = Types.text(key);
    if (name == null) {
      return missing(owner, PythonText.repr(key));
    }
    var own = ownAttribute(owner, name);
    return own == null ? missing(owner, name) : own;
  }

  private static @Nullable Object ownItem(Object owner, Object key, Budget budget) {
    if (owner instanceof Dict dict) {
      return isHashable(key) ? dict.get(key) : null;
    }
    return Numbers.number(key) instanceof Long index ? Slices.item(owner, index, budget) : null;
  }

  private static boolean isHashable(Object key) {
    return !(key instanceof Dict) && (key instanceof Value || !(key instanceof List));
  }

  private static @Nullable Object ownAttribute(Object owner, String name) {
    return switch (owner) {
      case Value.Undefined undefined -> throw undefined.failure();
      case String text -> StringMethods.of(text, name);
      case Value.Markup markup -> StringMethods.of(markup, name);
      case Dict dict -> CollectionMethods.of(dict, name);
      case Value.Namespace namespace -> namespace.fields().get(name);
      case Loop loop -> loop.attribute(name);
      case Macro macro when name.equals("name") -> macro.name();
      case List<?> list -> CollectionMethods.of(list, name);
      default -> {
        if (Numbers.isNumber(owner) && OF_NUMBERS.contains(name)) {
          throw new Failure("'" + name + "' of a number is not supported");
        }
        yield null;
      }
    };
  }

  private static Value.Undefined missing(Object owner, String name) {
    boolean change = CHANGES.contains(name) && (owner instanceof Dict || owner instanceof List);
    return new Value.Undefined(
        change ? Types.name(owner) + " (which a template cannot change)" : Types.name(owner), name);
  }
}
