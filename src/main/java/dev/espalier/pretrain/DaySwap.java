package dev.espalier.pretrain;

import dev.espalier.pretrain.Conversation.Turn;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Moves the dates of a dialogue to other days and another month, the same everywhere in it.
///
/// All of SGD plays in March 2019. Dialogues that speak of days in a relative way ("tomorrow",
/// "next Friday") are left as they are, since what those mean would change.
final class DaySwap {
  private static final List<String> MONTHS =
      List.of(
          "January",
          "February",
          "March",
          "April",
          "May",
          "June",
          "July",
          "August",
          "September",
          "October",
          "November",
          "December");
  private static final Pattern RELATIVE =
      Pattern.compile(
          "today|tonight|tomorrow|yesterday|week|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
              + "|day after|this month|next month|march (?!the )[a-z]"
              + "|\\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh"
              + "|twelfth|thirteenth|fourteenth)\\b",
          Pattern.CASE_INSENSITIVE);
  private static final Pattern DATE =
      Pattern.compile(
          "2019-03-(\\d\\d)|(?i:\\bmarch( the)? )(\\d?\\d)(st|nd|rd|th)?\\b"
              + "|\\b(\\d?\\d)(st|nd|rd|th)?(?i:( of)? march\\b)|\\b(\\d?\\d)(st|nd|rd|th)\\b");

  private DaySwap() {}

  static List<Turn> apply(List<Turn> turns, Dice dice) {
    boolean[] fixed = {false};
    boolean[] named = {false};
    Rewrite.all(
        turns,
        text -> {
          fixed[0] |= RELATIVE.matcher(text).find();
          named[0] |= text.toLowerCase(Locale.ROOT).contains("march");
          return text;
        });
    if (fixed[0]) return turns;
    int month = named[0] ? dice.between(1, 12) : 3;
    int shift = dice.below(28);
    return Rewrite.all(
        turns,
        text ->
            DATE.matcher(text).replaceAll(m -> Matcher.quoteReplacement(moved(m, month, shift))));
  }

  private static String moved(java.util.regex.MatchResult date, int month, int shift) {
    var name = MONTHS.get(month - 1);
    if (date.group(1) != null) return "2019-%02d-%02d".formatted(month, day(date.group(1), shift));
    boolean lower = date.group().contains("march");
    if (lower) name = name.toLowerCase(Locale.ROOT);
    if (date.group(3) != null) {
      int day = day(date.group(3), shift);
      return name + or(date.group(2)) + " " + day + suffix(date.group(4), day);
    }
    if (date.group(5) != null) {
      int day = day(date.group(5), shift);
      return day + suffix(date.group(6), day) + or(date.group(7)) + " " + name;
    }
    int day = day(date.group(8), shift);
    return day + suffix(date.group(9), day);
  }

  private static String or(@org.jspecify.annotations.Nullable String text) {
    return text == null ? "" : text;
  }

  private static int day(String day, int shift) {
    return (Integer.parseInt(day) - 1 + shift) % 28 + 1;
  }

  private static String suffix(@org.jspecify.annotations.Nullable String suffix, int day) {
    return suffix == null ? "" : ordinal(day);
  }

  /// The ending of an ordinal number: "st" of 21st.
  static String ordinal(int day) {
    if (day / 10 == 1) return "th";
    return switch (day % 10) {
      case 1 -> "st";
      case 2 -> "nd";
      case 3 -> "rd";
      default -> "th";
    };
  }
}
