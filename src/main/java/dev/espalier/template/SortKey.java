package dev.espalier.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What items are compared by: themselves or some attributes, in any case unless told otherwise.
record SortKey(List<AttributePath> paths, boolean caseSensitive) {
  /// @param attribute none, a number, or names with commas between
  static SortKey of(Object attribute, boolean caseSensitive) {
    var paths = new ArrayList<AttributePath>();
    if (attribute instanceof String names) {
      for (var name : names.split(",", -1)) {
        paths.add(AttributePath.of(name));
      }
    } else if (!(attribute instanceof Value.None)) {
      paths.add(AttributePath.of(attribute));
    }
    return new SortKey(paths, caseSensitive);
  }

  Object of(Object item) {
    if (paths.isEmpty()) {
      return folded(item);
    }
    if (paths.size() == 1) {
      return folded(paths.getFirst().get(item));
    }
    return new Value.Tuple(paths.stream().map(path -> folded(path.get(item))).toList());
  }

  private Object folded(Object value) {
    var text = Types.text(value);
    return text == null || caseSensitive ? value : text.toLowerCase(Locale.ROOT);
  }
}
