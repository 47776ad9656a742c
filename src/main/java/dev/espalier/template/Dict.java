package dev.espalier.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A Python dict: keys in the order they came, and `1`, `1.0` and `True` are one key.
final class Dict implements Value {
  private final Map<Object, Object> entries;

  Dict() {
    this(new LinkedHashMap<>());
  }

  private Dict(Map<Object, Object> entries) {
    this.entries = entries;
  }

  Dict copy() {
    return new Dict(new LinkedHashMap<>(entries));
  }

  int size() {
    return entries.size();
  }

  @Nullable Object get(Object key) {
    if (key instanceof String) {
      return entries.get(key);
    }
    var stored = storedKey(key);
    return stored == null ? null : entries.get(stored);
  }

  void put(Object key, Object value) {
    if (key instanceof String) {
      entries.put(key, value);
      return;
    }
    var stored = storedKey(key);
    entries.put(stored == null ? key : stored, value);
  }

  /// @throws Failure if the key is a list or a dict, which Python cannot hash
  boolean contains(Object key) {
    return get(key) != null;
  }

  Map<Object, Object> entries() {
    return entries;
  }

  List<Object> keys() {
    return new ArrayList<>(entries.keySet());
  }

  List<Object> values() {
    return new ArrayList<>(entries.values());
  }

  /// The pairs of key and value.
  List<Object> items() {
    var items = new ArrayList<>(entries.size());
    for (var entry : entries.entrySet()) {
      items.add(Tuple.of(entry.getKey(), entry.getValue()));
    }
    return items;
  }

  private @Nullable Object storedKey(Object key) {
    if (key instanceof Markup markup) {
      return entries.containsKey(markup.text()) ? markup.text() : null;
    }
    requireHashable(key);
    if (entries.containsKey(key) || !Numbers.isNumber(key)) {
      return entries.containsKey(key) ? key : null;
    }
    for (var stored : entries.keySet()) {
      if (equalNumbers(stored, key)) {
        return stored;
      }
    }
    return null;
  }

  private static boolean equalNumbers(Object left, Object right) {
    var a = Numbers.number(left);
    var b = Numbers.number(right);
    return a != null && b != null && Numbers.compare(a, b) == 0;
  }

  private static void requireHashable(Object key) {
    boolean list = key instanceof List && !(key instanceof Tuple) && !(key instanceof Range);
    if (list || key instanceof Dict) {
      throw new Failure("a " + Types.name(key) + " cannot be a key");
    }
    if (key instanceof Tuple tuple) {
      for (var item : tuple) {
        if (item instanceof Tuple) {
          throw new Failure("a tuple within a tuple as a key is not supported");
        }
        requireHashable(item);
      }
    }
  }
}
