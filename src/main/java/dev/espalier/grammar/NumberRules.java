package dev.espalier.grammar;

import static dev.espalier.grammar.Rule.choice;
import static dev.espalier.grammar.Rule.optional;
import static dev.espalier.grammar.Rule.range;
import static dev.espalier.grammar.Rule.sequence;
import static dev.espalier.grammar.Rule.text;
import static dev.espalier.grammar.Rule.times;

import java.util.ArrayList;
import java.util.List;

/// Numbers between limits, which for numbers with a fraction have to be whole.
final class NumberRules {
  private static final long MOST = 999_999_999_999_999L;
  private static final Rule ZEROS = optional(sequence(text("."), times(text("0"), 1, 15)));

  private NumberRules() {}

  static Rule integer(Keywords keys) {
    long low = (long) Math.ceil(keys.number("minimum", -MOST));
    long high = (long) Math.floor(keys.number("maximum", MOST));
    double above = keys.number("exclusiveMinimum", -MOST - 1.0);
    double below = keys.number("exclusiveMaximum", MOST + 1.0);
    low = Math.max(low, (long) Math.floor(above) + 1);
    high = Math.min(high, (long) Math.ceil(below) - 1);
    check(low, high, keys);
    var options = new ArrayList<Rule>();
    if (high >= 0) options.add(between(Math.max(0, low), high));
    if (low < 0) options.add(negative(between(Math.max(1, -high), -low)));
    return choice(options);
  }

  static Rule number(Keywords keys) {
    for (var limit : List.of("exclusiveMinimum", "exclusiveMaximum")) {
      if (keys.has(limit)) throw keys.refused(limit); // integers may have kept to it
    }
    if (!keys.has("minimum") && !keys.has("maximum")) return JsonRules.NUMBER;
    double minimum = keys.number("minimum", -MOST);
    double maximum = keys.number("maximum", MOST);
    if (minimum != Math.rint(minimum) || maximum != Math.rint(maximum)) {
      throw SchemaRules.at(keys.where(), "has a limit with a fraction, which cannot be kept to");
    }
    long low = (long) minimum;
    long high = (long) maximum;
    check(low, high, keys);
    var options = new ArrayList<Rule>();
    if (high >= 0) options.add(magnitude(Math.max(0, low), high));
    if (low < 0) options.add(negative(magnitude(Math.max(0, -high), -low)));
    return choice(options);
  }

  private static void check(long low, long high, Keywords keys) {
    if (low > high || low < -MOST || high > MOST) {
      throw SchemaRules.at(keys.where(), "allows no number of at most 15 digits");
    }
  }

  private static Rule negative(Rule number) {
    return sequence(text("-"), number);
  }

  /// Numbers that are not negative, with any fraction below the upper limit.
  private static Rule magnitude(long low, long high) {
    var whole = sequence(text(Long.toString(high)), ZEROS);
    if (low == high) return whole;
    return choice(sequence(between(low, high - 1), JsonRules.FRACTION), whole);
  }

  /// Whole numbers that are not negative.
  private static Rule between(long low, long high) {
    var options = new ArrayList<Rule>();
    for (long first = 0, last = 9; first <= high; first = last + 1, last = 10 * last + 9) {
      long from = Math.max(low, first);
      long to = Math.min(high, last);
      if (from <= to) options.add(digits(Long.toString(from), Long.toString(to)));
    }
    return choice(options);
  }

  /// Numbers of as many digits as both limits have.
  private static Rule digits(String low, String high) {
    int left = low.length() - 1;
    if (left < 0) return Rule.EMPTY;
    char first = low.charAt(0);
    char last = high.charAt(0);
    var lows = low.substring(1);
    var highs = high.substring(1);
    if (first == last) return sequence(range(first, first), digits(lows, highs));
    var nines = "9".repeat(left);
    var zeros = "0".repeat(left);
    if (lows.equals(zeros) && highs.equals(nines)) {
      return sequence(range(first, last), times(JsonRules.DIGIT, left, left));
    }
    var options = new ArrayList<Rule>();
    options.add(sequence(range(first, first), digits(lows, nines)));
    if (last - first > 1) {
      options.add(sequence(range(first + 1, last - 1), times(JsonRules.DIGIT, left, left)));
    }
    options.add(sequence(range(last, last), digits(zeros, highs)));
    return choice(options);
  }
}
