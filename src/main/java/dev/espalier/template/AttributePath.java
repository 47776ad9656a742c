package dev.espalier.template;

import java.util.ArrayList;
import java.util.List;

/// What filters take an `attribute` by: names and numbers with dots between, such as
/// `function.name`.
record AttributePath(List<Object> parts) {
  static AttributePath of(Object attribute) {
    if (attribute instanceof Long) {
      return new AttributePath(List.of(attribute));
    }
    var text = Types.text(attribute);
    if (text == null) {
      throw Types.mismatch("a string that names an attribute", attribute);
    }
    var parts = new ArrayList<Object>();
    for (var part : text.split("\\.", -1)) {
      boolean number = !part.isEmpty() && part.length() < 10 && Casing.isDecimal(part);
      parts.add(number ? (Object) Long.parseLong(part) : part);
    }
    return new AttributePath(parts);
  }

  Object get(Object item, Budget budget) {
    var value = item;
    for (var part : parts) {
      value = Attributes.item(value, part, budget);
    }
    return value;
  }

  /// The same, with something in place of what is undefined on the way.
  Object get(Object item, Object fallback, Budget budget) {
    var value = item;
    for (var part : parts) {
      var next = Attributes.item(value, part, budget);
      value = next instanceof Value.Undefined ? fallback : next;
    }
    return value;
  }
}
