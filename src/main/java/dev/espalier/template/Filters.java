package dev.espalier.template;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Every filter by its name.
final class Filters {
  private static final Set<String> UNSUPPORTED =
      Set.of(
          "filesizeformat",
          "forceescape",
          "groupby",
          "pprint",
          "random",
          "striptags",
          "urlencode",
          "urlize",
          "wordcount",
          "wordwrap",
          "xmlattr");

  private static final Map<String, Filter> ALL = all();

  private Filters() {}

  private static Map<String, Filter> all() {
    var all = new HashMap<String, Filter>();
    all.putAll(TextFilters.ALL);
    all.putAll(NumberFilters.ALL);
    all.putAll(SequenceFilters.ALL);
    all.putAll(SelectionFilters.ALL);
    return Map.copyOf(all);
  }

  static @Nullable Filter named(String name) {
    return ALL.get(name);
  }

  /// The error about a filter that `named` does not know.
  static String unknown(String name) {
    return UNSUPPORTED.contains(name)
        ? "the filter '" + name + "' is not supported"
        : "unknown filter '" + name + "'";
  }
}
