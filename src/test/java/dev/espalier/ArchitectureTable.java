package dev.espalier;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/// The table of `docs/ARCHITECTURE.md`: which package may use which.
///
/// @param mayUse package to the packages that it may use, in the order of the table
record ArchitectureTable(Map<String, Set<String>> mayUse) {
  private static final Pattern ROW = Pattern.compile("^\\| `(\\w+)` \\|.*\\|([^|]*)\\|\\s*$");
  private static final Pattern ALL = Pattern.compile("all(?: but ([\\w, ]+))?");

  static ArchitectureTable read(Path file) {
    try {
      return parse(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the table of packages in " + file, e);
    }
  }

  static ArchitectureTable parse(String markdown) {
    var cells = new LinkedHashMap<String, String>();
    for (var line : markdown.lines().toList()) {
      var row = ROW.matcher(line);
      if (!row.matches()) continue;
      if (cells.put(row.group(1), row.group(2).strip()) != null) {
        throw new IllegalArgumentException("two rows for package " + row.group(1));
      }
    }
    var mayUse = new LinkedHashMap<String, Set<String>>();
    cells.forEach((name, cell) -> mayUse.put(name, used(name, cell, cells.keySet())));
    return new ArchitectureTable(mayUse);
  }

  /// The packages a cell names: a list, "–" for none, "all", or "all but" a list.
  private static Set<String> used(String name, String cell, Set<String> packages) {
    if (cell.equals("–")) return Set.of();
    var all = ALL.matcher(cell);
    var listed = new LinkedHashSet<String>();
    var list = !all.matches() ? cell : all.group(1) == null ? "" : all.group(1);
    Arrays.stream(list.split(",", -1))
        .map(String::strip)
        .filter(word -> !word.isEmpty())
        .forEach(listed::add);
    for (var word : listed) {
      if (packages.contains(word)) continue;
      throw new IllegalArgumentException(
          "the row of `%s` names \"%s\", which has no row".formatted(name, word));
    }
    if (!all.matches()) return listed;
    var rest = new LinkedHashSet<>(packages);
    rest.removeAll(listed);
    return rest;
  }

  boolean allows(String from, String to) {
    return from.equals(to) || mayUse.getOrDefault(from, Set.of()).contains(to);
  }
}
