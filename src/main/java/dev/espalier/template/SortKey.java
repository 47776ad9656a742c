package dev.espalier.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What items are compared by: themselves or an attribute, in any case unless told otherwise.
record SortKey(List<AttributePath> paths, boolean several, boolean caseSensitive) {

  /// @param attribute none, a name or a number
  static SortKey of(Object attribute, boolean caseSensitive) {
    var none = attribute instanceof Value.None;
    return new SortKey(
        none ? List.of() : List.of(AttributePath.of(attribute)), false, caseSensitive);
  }

  /// @param attributes none, a number, or names with commas between
  static SortKey ofSeveral(Object attributes, boolean caseSensitive) {
    if (!(attributes instanceof String names)) {
      return of(attributes, caseSensitive);
    }
    var paths = new ArrayList<AttributePath>();
    for (var name : names.split(",", -1)) {
      paths.add(AttributePath.of(name));
    }
    return new SortKey(paths, true, caseSensitive);
  }

  Object of(Object item, Budget budget) {
    if (paths.isEmpty()) {
      return folded(item, budget);
    }
    return several
        ? new Value.Tuple(
            paths.stream().map(path -> folded(path.get(item, budget), budget)).toList())
        : folded(paths.getFirst().get(item, budget), budget);
  }

  private Object folded(Object value, Budget budget) {
    var text = Types.text(value);
    if (text == null || caseSensitive) {
      return value;
    }
    budget.scan(text.length());
    return text.toLowerCase(Locale.ROOT);
  }
}
