package dev.espalier.template;

import java.util.Locale;
import java.util.function.IntPredicate;

/// Upper and lower case, and what kinds of characters a text has.
final class Casing {
  private Casing() {}

  static String capitalize(String text) {
    return text.isEmpty() ? text : first(text) + rest(text).toLowerCase(Locale.ROOT);
  }

  private static String first(String text) {
    int first = text.codePointAt(0);
    return Character.toString(Character.toTitleCase(first));
  }

  private static String rest(String text) {
    return text.substring(Character.charCount(text.codePointAt(0)));
  }

  /// Every letter after something that is none becomes a capital, all others small.
  static String title(String text) {
    var title = new StringBuilder(text.length());
    boolean inWord = false;
    for (int c : text.codePoints().toArray()) {
      title.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inWord = isCased(c);
    }
    return title.toString();
  }

  static String swap(String text) {
    var swapped = new StringBuilder(text.length());
    text.codePoints()
        .mapToObj(Character::toString)
        .map(c ->
            Character.isUpperCase(c.codePointAt(0))
                ? c.toLowerCase(Locale.ROOT)
                : c.toUpperCase(Locale.ROOT))
        .forEach(swapped::append);
    return swapped.toString();
  }

  static boolean isUpper(String text) {
    return hasCased(text)
        && text.codePoints().noneMatch(c -> isCased(c) && !Character.isUpperCase(c));
  }

  static boolean isLower(String text) {
    return hasCased(text)
        && text.codePoints().noneMatch(c -> isCased(c) && !Character.isLowerCase(c));
  }

  static boolean isTitle(String text) {
    boolean inWord = false;
    for (int c : text.codePoints().toArray()) {
      boolean capital = Character.isUpperCase(c) || Character.isTitleCase(c);
      if (isCased(c) && capital == inWord) {
        return false;
      }
      inWord = isCased(c);
    }
    return hasCased(text);
  }

  private static boolean hasCased(String text) {
    return text.codePoints().anyMatch(Casing::isCased);
  }

  private static boolean isCased(int c) {
    return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
  }

  static boolean isAlphabetic(String text) {
    return all(text, Character::isLetter);
  }

  static boolean isDecimal(String text) {
    return all(text, Character::isDigit);
  }

  /// Digits, raised and circled ones too.
  static boolean isDigit(String text) {
    return all(text, c -> Character.isDigit(c) || isRaisedDigit(c));
  }

  private static boolean isRaisedDigit(int c) {
    return c == 0xb2 || c == 0xb3 || c == 0xb9 || (c >= 0x2070 && c <= 0x2089 && c != 0x2071);
  }

  static boolean isNumeric(String text) {
    return all(text, Casing::isNumber);
  }

  private static boolean isNumber(int c) {
    int type = Character.getType(c);
    return type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER;
  }

  static boolean isAlphanumeric(String text) {
    return all(text, c -> Character.isLetter(c) || isNumber(c));
  }

  private static boolean all(String text, IntPredicate kind) {
    return !text.isEmpty() && text.codePoints().allMatch(kind);
  }
}
