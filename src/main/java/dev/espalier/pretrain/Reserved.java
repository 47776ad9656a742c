package dev.espalier.pretrain;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/// What the corpus must not contain, because the demo's world is made of it and the base model must
/// not have seen it: `reserved.txt`, and codes of the demo's form such as B12.
final class Reserved {
  private static final Pattern CODE = Pattern.compile("[a-h][1-9][0-9]?");

  private final List<String> stems;
  private final Set<String> names;
  private final Set<String> words;

  Reserved() {
    var sections = new HashMap<String, List<String>>();
    var section = new ArrayList<String>();
    for (var line : Lines.of("reserved.txt")) {
      if (line.startsWith("== ")) {
        section = new ArrayList<>();
        sections.put(line.substring(3), section);
      } else {
        section.addAll(List.of(line.split(" ")));
      }
    }
    this.stems = List.copyOf(in(sections, "stems"));
    this.names = Set.copyOf(in(sections, "names"));
    var all = new HashSet<>(names);
    all.addAll(in(sections, "words"));
    this.words = Set.copyOf(all);
  }

  private static List<String> in(Map<String, List<String>> sections, String name) {
    return sections.getOrDefault(name, List.of());
  }

  /// Every reserved word.
  Set<String> words() {
    return words;
  }

  /// Whether a text of a dialogue between people may be used.
  boolean allowsDialogue(String text) {
    return allows(text, names);
  }

  /// Whether a text of our own making may be used.
  boolean allows(String text) {
    return allows(text, words);
  }

  private boolean allows(String text, Set<String> banned) {
    var lower = text.toLowerCase(Locale.ROOT);
    for (var stem : stems) {
      if (lower.contains(stem)) return false;
    }
    int start = 0;
    for (int end = 0; end <= lower.length(); end++) {
      boolean inside = end < lower.length() && isNameCharacter(lower.charAt(end));
      if (inside) continue;
      if (end > start && !allowed(lower.substring(start, end), banned)) return false;
      start = end + 1;
    }
    return true;
  }

  private static boolean isNameCharacter(char c) {
    return Character.isLetterOrDigit(c) || c == '_';
  }

  /// @param word of a text, or a name such as move_date, whose parts count too
  private static boolean allowed(String word, Set<String> banned) {
    if (banned.contains(word) || (word.length() < 4 && CODE.matcher(word).matches())) return false;
    if (word.indexOf('_') < 0) return true;
    for (var part : word.split("_")) {
      if (banned.contains(part)) return false;
    }
    return true;
  }
}
