package dev.espalier.pretrain;

import java.util.List;

/// The plain words of `words.txt` by part of speech.
record PlainWords(
    List<String> nouns, List<String> verbs, List<String> adjectives, List<String> firstNames) {
  static PlainWords load() {
    return new PlainWords(list("noun"), list("verb"), list("adjective"), list("first"));
  }

  private static List<String> list(String part) {
    return List.of(line(part).split(" "));
  }

  /// What stands behind `part:`.
  static String line(String part) {
    for (var line : Lines.of("words.txt")) {
      if (line.startsWith(part + ": ")) return line.substring(part.length() + 2);
    }
    throw new IllegalStateException("words.txt has no line " + part);
  }
}
