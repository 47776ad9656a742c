package dev.espalier.pretrain;

import java.util.List;
import java.util.Locale;

/// Words that the corpus must not contain, because the demo's world is made of them and the base
/// model must not have seen it.
final class Reserved {
  private final List<String> stems = Lines.of("reserved.txt");

  /// Whether a text has no reserved word in it.
  boolean free(String text) {
    var lower = text.toLowerCase(Locale.ROOT);
    for (var stem : stems) {
      if (lower.contains(stem)) return false;
    }
    return true;
  }
}
