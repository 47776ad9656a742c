package dev.espalier.pretrain;

import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Draws values of arguments: the JSON value that the call must carry.
final class Values {
  private final Words words;
  private final PlainWords plain = PlainWords.load();

  Values(Words words) {
    this.words = words;
  }

  /// @param today what the conversation takes as today, null if it does not say
  Object draw(Slot slot, @Nullable LocalDate today, Dice dice) {
    return switch (slot.kind()) {
      case PERSON -> person(dice);
      case TITLE -> title(dice);
      case WORD -> words.word(dice);
      case TEXT -> text(dice);
      case PLACE -> words.names(dice, dice.oneOf(1, 1, 2, 2, 3));
      case ADDRESS ->
          dice.chance(0.5)
              ? number(dice)
                  + " "
                  + words.names(dice, dice.between(1, 2))
                  + " "
                  + dice.oneOf("Street", "Road", "Lane", "Avenue")
              : words.names(dice, dice.between(1, 2)) + " " + number(dice);
      case CODE, SHORTCODE -> code(slot.form(), dice);
      case CODEWORD ->
          switch (dice.below(4)) {
            case 0 -> number(dice);
            case 1 -> code(dice.oneOf("A9", "9A", "A"), dice);
            default -> words.name(dice);
          };
      case DIGITS -> Words.digits(dice, dice.between(3, 9));
      case INTEGER -> dice.chance(0.6) ? dice.between(1, 20) : dice.between(1, 999);
      case SMALL -> dice.between(1, 10);
      case MONEY -> money(dice);
      case DECIMAL -> new BigDecimal(dice.between(0, 250) + "." + dice.between(1, 9));
      case DATE -> date(today, dice).toString();
      case TIME ->
          "%02d:%02d"
              .formatted(
                  dice.between(6, 22), dice.chance(0.8) ? 15 * dice.below(4) : dice.below(60));
      case EMAIL -> email(dice);
      case PHONE -> phone(dice);
      case WEB ->
          "www." + words.word(dice) + dice.oneOf(".com", ".org", ".net") + "/" + words.word(dice);
      case CHOICE -> dice.pick(slot.argument().choices());
      case FLAG -> dice.chance(0.6);
    };
  }

  private static String number(Dice dice) {
    return Words.digits(dice, dice.between(1, 3));
  }

  private static BigDecimal money(Dice dice) {
    var whole = Words.digits(dice, dice.between(1, 4));
    return new BigDecimal(dice.chance(0.6) ? whole : whole + "." + dice.between(1, 9));
  }

  String person(Dice dice) {
    var first = dice.chance(0.4) ? dice.pick(plain.firstNames()) : words.name(dice);
    return switch (dice.below(8)) {
      case 0 -> first;
      case 1 -> dice.oneOf("Mr", "Ms", "Dr") + " " + words.name(dice);
      case 2 -> first + " " + words.names(dice, 2);
      default -> first + " " + words.name(dice);
    };
  }

  /// The name of a thing: "Copper Lantern", "the quiet fox", "Veltra 300".
  String title(Dice dice) {
    return switch (dice.below(8)) {
      case 0 -> words.name(dice);
      case 1 -> words.names(dice, 3);
      case 2 -> words.name(dice) + " " + number(dice);
      case 3 -> "The " + Words.capital(dice.pick(plain.adjectives())) + " " + words.name(dice);
      case 4 -> dice.pick(plain.adjectives()) + " " + dice.pick(plain.nouns());
      case 5 -> words.word(dice) + " " + words.word(dice);
      case 6 -> words.name(dice) + dice.oneOf(" and ", " of ", " & ", " for ") + words.name(dice);
      default -> words.names(dice, 2);
    };
  }

  /// A short sentence.
  String text(Dice dice) {
    var noun = dice.chance(0.5) ? dice.pick(plain.nouns()) : words.word(dice);
    var other = dice.chance(0.5) ? dice.pick(plain.nouns()) : words.word(dice);
    var adjective = dice.pick(plain.adjectives());
    var verb = dice.pick(plain.verbs());
    return switch (dice.below(8)) {
      case 0 ->
          "the " + noun + " is " + dice.oneOf("under", "behind", "next to", "in") + " the " + other;
      case 1 -> verb + " the " + adjective + " " + noun;
      case 2 -> "please " + verb + " the " + noun + " before the " + other;
      case 3 -> "no " + noun + ", only " + other;
      case 4 -> "the " + adjective + " " + noun + " does not " + verb;
      case 5 -> words.name(dice) + " will " + verb + " the " + noun;
      case 6 -> adjective + " " + noun + " and " + dice.between(2, 12) + " " + other + "s";
      default -> {
        var out = new StringBuilder(words.word(dice));
        for (int i = dice.between(1, 4); i > 0; i--) out.append(' ').append(words.word(dice));
        yield out.toString();
      }
    };
  }

  private String email(Dice dice) {
    var user = words.word(dice);
    if (dice.chance(0.4)) user += dice.oneOf(".", "_") + words.word(dice);
    if (dice.chance(0.2)) user += dice.between(1, 99);
    return user + "@" + words.word(dice) + dice.oneOf(".com", ".org", ".net", ".co", ".de");
  }

  private static String phone(Dice dice) {
    return switch (dice.below(4)) {
      case 0 -> Words.digits(dice, 3) + "-" + Words.digits(dice, 4);
      case 1 -> Words.digits(dice, 3) + "-" + Words.digits(dice, 3) + "-" + Words.digits(dice, 4);
      case 2 ->
          "+" + dice.between(1, 49) + " " + Words.digits(dice, 3) + " " + Words.digits(dice, 6);
      default -> "0" + Words.digits(dice, 3) + " " + Words.digits(dice, 5);
    };
  }

  private static LocalDate date(@Nullable LocalDate today, Dice dice) {
    if (today == null) {
      return LocalDate.of(dice.between(2019, 2032), dice.between(1, 12), dice.between(1, 28));
    }
    return today.plusDays(dice.chance(0.7) ? dice.between(0, 28) : dice.between(29, 300));
  }

  /// A code of that form: A a letter, 9 a digit, the rest itself.
  static String code(String form, Dice dice) {
    var out = new StringBuilder();
    // The demo's codes are a letter up to H and a number: never start a short code so.
    char first = form.length() < 5 ? 'I' : 'A';
    for (int i = 0; i < form.length(); i++) {
      char c = form.charAt(i);
      if (c == 'A' && i == 0) out.append((char) (first + dice.below('Z' - first + 1)));
      else if (c == 'A') out.append((char) ('A' + dice.below(26)));
      else if (c == '9') out.append((char) ('0' + dice.below(10)));
      else out.append(c);
    }
    return out.toString().toUpperCase(Locale.ROOT);
  }
}
