package dev.espalier.pretrain;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Slips of the keyboard in words that carry no value.
final class Typos {
  private static final Pattern WORD = Pattern.compile("\\b[a-z]{4,}\\b");

  private Typos() {}

  /// @param kept words that must stay as they are, lower case
  static String in(String text, double rate, Set<String> kept, Dice dice) {
    return WORD.matcher(text)
        .replaceAll(match -> {
          var word = match.group();
          boolean stays = !dice.chance(rate) || kept.contains(word.toLowerCase(Locale.ROOT));
          return Matcher.quoteReplacement(stays ? word : slip(word, dice));
        });
  }

  private static String slip(String word, Dice dice) {
    int at = dice.between(1, word.length() - 2);
    var left = word.substring(0, at);
    return switch (dice.below(3)) {
      case 0 -> left + word.substring(at + 1);
      case 1 -> left + word.charAt(at) + word.substring(at);
      default -> left + word.charAt(at + 1) + word.charAt(at) + word.substring(at + 2);
    };
  }
}
