package dev.espalier.pretrain;

import dev.espalier.chat.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Random words over the whole vocabulary: the values that the model must copy.
///
/// A model that copies only words it has met as values garbles the others, so words come from
/// everywhere: running text, made of tokens of the vocabulary, made of syllables, made of letters.
final class Words {
  private static final Pattern LETTERS = Pattern.compile("[a-z]+");
  private static final List<String> ONSETS =
      List.of(
          "b", "br", "c", "ch", "cl", "d", "dr", "f", "fl", "g", "gr", "h", "j", "k", "kl", "l",
          "m", "n", "p", "pr", "qu", "r", "s", "sh", "sk", "st", "t", "th", "tr", "v", "w", "y",
          "z");
  private static final List<String> CORES =
      List.of("a", "e", "i", "o", "u", "ai", "ea", "ee", "ia", "io", "oo", "ou", "y");
  private static final List<String> CODAS =
      List.of(
          "", "", "", "n", "r", "l", "s", "t", "ck", "m", "nd", "x", "rt", "ng", "ll", "ss", "th",
          "b", "g", "lo");

  private final List<String> text;
  private final List<String> heads = new ArrayList<>();
  private final List<String> tails = new ArrayList<>();
  private final Reserved reserved = new Reserved();

  /// @param text words of running text, lower case
  /// @param vocabulary whose tokens are to be covered, null before there is one
  Words(List<String> text, @Nullable Tokenizer vocabulary) {
    this.text = text.stream().filter(reserved::allows).toList();
    if (vocabulary == null) return;
    for (int id = 0; id < vocabulary.size(); id++) {
      var token = new String(vocabulary.bytes(id), StandardCharsets.UTF_8);
      boolean opens = token.startsWith(" ");
      var word = token.strip().toLowerCase(Locale.ROOT);
      if (LETTERS.matcher(word).matches()) (opens ? heads : tails).add(word);
    }
  }

  /// A lower-case word.
  String word(Dice dice) {
    while (true) {
      var word =
          switch (dice.below(20)) {
            case 0, 1, 2, 3, 4, 5 -> dice.pick(text);
            case 6, 7, 8, 9, 10, 11, 12 -> pieces(dice);
            case 13, 14, 15, 16, 17 -> syllables(dice);
            default -> letters(dice);
          };
      if (word.length() > 1 && word.length() < 15 && reserved.allows(word)) return word;
    }
  }

  private String pieces(Dice dice) {
    if (heads.isEmpty()) return syllables(dice);
    int pick = dice.below(heads.size() + tails.size());
    if (pick < heads.size()) {
      return heads.get(pick) + (dice.chance(0.4) ? dice.pick(tails) : "");
    }
    var word = dice.pick(heads) + tails.get(pick - heads.size());
    return dice.chance(0.2) ? word + dice.pick(tails) : word;
  }

  private static String syllables(Dice dice) {
    var out = new StringBuilder();
    for (int i = dice.between(1, 3); i > 0; i--) {
      out.append(dice.pick(ONSETS)).append(dice.pick(CORES));
      if (i == 1 || dice.chance(0.3)) out.append(dice.pick(CODAS));
    }
    return out.toString();
  }

  /// Letters in no order at all: what is left when nothing about a word can be guessed.
  private static String letters(Dice dice) {
    var out = new StringBuilder();
    for (int i = dice.between(3, 9); i > 0; i--) out.append((char) ('a' + dice.below(26)));
    return out.toString();
  }

  /// A capitalised word.
  String name(Dice dice) {
    return capital(word(dice));
  }

  /// Capitalised words.
  String names(Dice dice, int count) {
    var out = new ArrayList<String>();
    for (int i = 0; i < count; i++) out.add(name(dice));
    return String.join(" ", out);
  }

  static String capital(String word) {
    return word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
  }

  /// Every word of the text with a capital.
  static String proper(String text) {
    return Arrays.stream(text.split(" ")).map(Words::capital).collect(Collectors.joining(" "));
  }

  /// Digits, the first of them not zero.
  static String digits(Dice dice, int count) {
    var out = new StringBuilder().append((char) ('1' + dice.below(9)));
    while (out.length() < count) out.append((char) ('0' + dice.below(10)));
    return out.toString();
  }

  /// Another text of the same shape: digits for digits, words for words of the same case; short
  /// words stay.
  String alike(String value, Dice dice) {
    var out = new ArrayList<String>();
    for (var part : value.split(" ", -1)) {
      if (part.chars().anyMatch(Character::isDigit)) {
        out.add(digitsAlike(part, dice));
      } else if ((part.length() < 4 && value.contains(" ")) || !part.matches("[A-Za-z'.,-]+")) {
        out.add(part);
      } else {
        out.add(Character.isUpperCase(part.charAt(0)) ? name(dice) : word(dice));
      }
    }
    return String.join(" ", out);
  }

  private static String digitsAlike(String part, Dice dice) {
    var out = new StringBuilder();
    for (int i = 0; i < part.length(); i++) {
      char c = part.charAt(i);
      boolean first = i == 0 || !Character.isDigit(part.charAt(i - 1));
      if (!Character.isDigit(c)) out.append(c);
      else out.append((char) (first && c != '0' ? '1' + dice.below(9) : '0' + dice.below(10)));
    }
    return out.toString();
  }
}
