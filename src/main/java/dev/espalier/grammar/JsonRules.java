package dev.espalier.grammar;

import static dev.espalier.grammar.Rule.anyOf;
import static dev.espalier.grammar.Rule.choice;
import static dev.espalier.grammar.Rule.oneOf;
import static dev.espalier.grammar.Rule.optional;
import static dev.espalier.grammar.Rule.range;
import static dev.espalier.grammar.Rule.sequence;
import static dev.espalier.grammar.Rule.text;
import static dev.espalier.grammar.Rule.times;
import static java.util.stream.Collectors.toMap;

import dev.espalier.grammar.Rule.OneOf;
import dev.espalier.grammar.Rule.Reference;
import java.util.Map;
import java.util.stream.IntStream;

/// JSON as it is written here: numbers of bounded length, and little white space, for a model that
/// may write endless zeros or blanks sooner or later does.
final class JsonRules {
  /// How deep any value nests: parsers of JSON have limits, and models open brackets without end.
  private static final int DEPTH = 64;

  private static final Rule MORE = range(0x80, 0xBF); // bytes of a character after its first
  private static final Rule HEX = oneOf("0123456789abcdefABCDEF");
  static final Rule DIGIT = oneOf("0123456789");
  static final Rule LEADING = oneOf("123456789");

  /// A character beyond ASCII in UTF-8 (RFC 3629): no surrogates, nothing spelled too long.
  static final Rule BEYOND_ASCII =
      choice(
          sequence(range(0xC2, 0xDF), MORE),
          sequence(range(0xE0, 0xE0), range(0xA0, 0xBF), MORE),
          sequence(range(0xE1, 0xEC), MORE, MORE),
          sequence(range(0xED, 0xED), range(0x80, 0x9F), MORE),
          sequence(range(0xEE, 0xEF), MORE, MORE),
          sequence(range(0xF0, 0xF0), range(0x90, 0xBF), MORE, MORE),
          sequence(range(0xF1, 0xF3), MORE, MORE, MORE),
          sequence(range(0xF4, 0xF4), range(0x80, 0x8F), MORE, MORE));

  /// One character of a string, escaped where it must be.
  static final Rule CHARACTER =
      choice(
          new OneOf(ByteSet.range(' ', 127).without(ByteSet.of("\"\\"))),
          BEYOND_ASCII,
          sequence(text("\\"), oneOf("\"\\/bfnrt")),
          sequence(text("\\u"), oneOf("0123456789abcefABCEF"), HEX, HEX, HEX),
          sequence(text("\\u"), oneOf("dD"), oneOf("01234567"), HEX, HEX));

  static final Rule STRING = sequence(text("\""), times(CHARACTER, 0, Rule.ENDLESS), text("\""));
  static final Rule INTEGER = signed(choice(text("0"), digits(15)));
  static final Rule FRACTION = optional(sequence(text("."), times(DIGIT, 1, 15)));
  static final Rule EXPONENT =
      optional(sequence(oneOf("eE"), optional(oneOf("+-")), times(DIGIT, 1, 2)));
  static final Rule NUMBER = sequence(INTEGER, FRACTION, EXPONENT);
  static final Rule BOOLEAN = anyOf("true", "false");

  private JsonRules() {}

  private static Rule signed(Rule number) {
    return sequence(optional(text("-")), number);
  }

  private static Rule digits(int most) {
    return sequence(LEADING, times(DIGIT, 0, most - 1));
  }

  /// The name of the rule for any value, for [Reference].
  static String anyName(Spacing spacing) {
    return anyName(spacing, DEPTH);
  }

  private static String anyName(Spacing spacing, int depth) {
    return (spacing.equals(Spacing.LINE) ? "any value in a line " : "any value ") + depth;
  }

  /// Any value, with white space as given: the rules of those that nest so deep, by name.
  static Map<String, Rule> any(Spacing spacing) {
    return IntStream.rangeClosed(0, DEPTH)
        .boxed()
        .collect(toMap(depth -> anyName(spacing, depth), depth -> any(spacing, depth)));
  }

  private static Rule any(Spacing spacing, int depth) {
    var flat = choice(STRING, NUMBER, BOOLEAN, text("null"));
    if (depth == 0) return flat;
    var inner = new Reference(anyName(spacing, depth - 1));
    return choice(
        flat,
        list("[", inner, "]", 0, Rule.ENDLESS, spacing),
        list("{", member(STRING, inner, spacing), "}", 0, Rule.ENDLESS, spacing));
  }

  /// Any object.
  static Rule object(Spacing spacing) {
    var value = new Reference(anyName(spacing));
    return list("{", member(STRING, value, spacing), "}", 0, Rule.ENDLESS, spacing);
  }

  static Rule member(Rule name, Rule value, Spacing spacing) {
    return sequence(name, text(":"), spacing.space(), value);
  }

  /// So many of the same, with commas between them.
  static Rule list(String open, Rule one, String close, int least, int most, Spacing spacing) {
    var empty = sequence(text(open), spacing.line(), text(close));
    if (most == 0) return empty;
    var next = sequence(text(","), spacing.line(), one);
    var full =
        sequence(
            text(open),
            spacing.line(),
            one,
            times(next, Math.max(0, least - 1), most == Rule.ENDLESS ? most : most - 1),
            spacing.line(),
            text(close));
    return least > 0 ? full : choice(empty, full);
  }
}
