package dev.espalier.grammar;

import static dev.espalier.grammar.Rule.anyOf;
import static dev.espalier.grammar.Rule.choice;
import static dev.espalier.grammar.Rule.oneOf;
import static dev.espalier.grammar.Rule.optional;
import static dev.espalier.grammar.Rule.sequence;
import static dev.espalier.grammar.Rule.text;
import static dev.espalier.grammar.Rule.times;

/// Strings: how long they are, or what they hold.
final class StringRules {
  private static final Rule DIGIT = JsonRules.DIGIT;
  private static final Rule YEAR = times(DIGIT, 4, 4);
  private static final Rule TO_28 =
      choice(
          sequence(text("0"), JsonRules.LEADING),
          sequence(text("1"), DIGIT),
          sequence(text("2"), oneOf("012345678")));
  private static final Rule DATE =
      sequence(
          YEAR,
          text("-"),
          choice(
              sequence(
                  anyOf("01", "03", "05", "07", "08", "10", "12"),
                  text("-"),
                  choice(TO_28, anyOf("29", "30", "31"))),
              sequence(anyOf("04", "06", "09", "11"), text("-"), choice(TO_28, anyOf("29", "30"))),
              sequence(text("02-"), TO_28)));
  private static final Rule MINUTES = sequence(oneOf("012345"), DIGIT);
  private static final Rule HOURS =
      choice(sequence(oneOf("01"), DIGIT), sequence(text("2"), oneOf("0123")));
  private static final Rule TIME =
      sequence(
          HOURS,
          text(":"),
          MINUTES,
          text(":"),
          MINUTES,
          optional(sequence(text("."), times(DIGIT, 1, 9))),
          choice(text("Z"), sequence(oneOf("+-"), HOURS, text(":"), MINUTES)));
  private static final Rule HEX = oneOf("0123456789abcdef");

  private StringRules() {}

  /// Quoted strings.
  static Rule of(Keywords keys) {
    return sequence(text("\""), content(keys, JsonRules.CHARACTER), text("\""));
  }

  /// What stands between the quotes.
  ///
  /// @param character any that may
  static Rule content(Keywords keys, Rule character) {
    if (!keys.has("format")) {
      int least = keys.count("minLength", 0);
      int most = keys.count("maxLength", Rule.ENDLESS);
      if (most < least) throw SchemaRules.at(keys.where(), "has minLength above maxLength");
      return times(character, least, most);
    }
    var format = keys.get("format").asString("");
    return switch (format) {
      case "date" -> DATE; // no leap days
      case "time" -> TIME;
      case "date-time" -> sequence(DATE, text("T"), TIME);
      case "uuid" ->
          sequence(
              times(HEX, 8, 8),
              text("-"),
              times(HEX, 4, 4),
              text("-"),
              times(HEX, 4, 4),
              text("-"),
              times(HEX, 4, 4),
              text("-"),
              times(HEX, 12, 12));
      default ->
          throw SchemaRules.at(
              keys.where(),
              "has the format \"%s\"; date, time, date-time and uuid can be kept to"
                  .formatted(format));
    };
  }
}
