package dev.espalier.pretrain;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Ways of saying things, in sections of `phrases.txt`.
///
/// A phrase holds choices, `[Hi|Hello]`, which may nest, and names in braces that stand for values.
final class Phrases {
  private final Map<String, List<String>> sections = new HashMap<>();

  Phrases() {
    var section = new ArrayList<String>();
    for (var line : Lines.of("phrases.txt")) {
      if (line.startsWith("== ")) {
        section = new ArrayList<>();
        sections.put(line.substring(3), section);
      } else {
        section.add(line.replace("\\n", "\n"));
      }
    }
  }

  /// A phrase of a section with its choices made and its names filled in.
  ///
  /// @param values names and what they stand for, alternating
  String say(String section, Dice dice, String... values) {
    return fill(template(section, dice), dice, values);
  }

  /// A phrase of a section as it is written.
  String template(String section, Dice dice) {
    return dice.pick(
        Objects.requireNonNull(sections.get(section), () -> "no phrases for " + section));
  }

  /// Makes the choices of a phrase and fills its names in; choices come first, so that a value with
  /// brackets stays as it is.
  static String fill(String phrase, Dice dice, String... values) {
    var chosen = choose(phrase, dice);
    var out = new StringBuilder();
    int at = 0;
    for (int open = chosen.indexOf('{'); open >= 0; open = chosen.indexOf('{', at)) {
      int close = chosen.indexOf('}', open);
      out.append(chosen, at, open).append(value(chosen.substring(open + 1, close), values));
      at = close + 1;
    }
    return out.append(chosen, at, chosen.length()).toString();
  }

  private static String value(String name, String[] values) {
    for (int i = 0; i < values.length; i += 2) {
      if (values[i].equals(name)) return values[i + 1];
      if (Words.capital(values[i]).equals(name)) return Words.capital(values[i + 1]);
    }
    throw new IllegalStateException("a phrase names {" + name + "}, which has no value here");
  }

  /// Replaces the innermost choice until there is none.
  private static String choose(String phrase, Dice dice) {
    var text = phrase;
    for (int close = text.indexOf(']'); close >= 0; close = text.indexOf(']')) {
      int open = text.lastIndexOf('[', close);
      var options = text.substring(open + 1, close).split("\\|", -1);
      text = text.substring(0, open) + dice.oneOf(options) + text.substring(close + 1);
    }
    return text;
  }
}
