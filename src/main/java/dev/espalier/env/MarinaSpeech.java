package dev.espalier.env;

import java.time.LocalDate;
import java.time.format.TextStyle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/// How one person writes: what a value looks like in their words, how they greet, how they spell.
///
/// Values are marked inside a message until it is finished, so that no typo falls into them.
final class MarinaSpeech {
  private enum Persona {
    PLAIN,
    TERSE,
    POLITE,
    CHATTY,
    RUDE;

    private String section(String part) {
      return part + " " + name().toLowerCase(Locale.ROOT);
    }
  }

  private static final char OPEN = '\u0001';
  private static final char CLOSE = '\u0002';
  private static final Pattern MARKED = Pattern.compile("\u0001[^\u0002]*\u0002");
  private static final Pattern LONG_WORD = Pattern.compile("\\b[A-Za-z]{4,}\\b");

  private final MarinaPhrases phrases;
  private final Difficulty difficulty;
  private final Draw draw;
  private final Persona persona;

  /// @param manner `any`, or a persona's name in lower case
  MarinaSpeech(MarinaPhrases phrases, Difficulty difficulty, Draw draw, String manner) {
    this.phrases = phrases;
    this.difficulty = difficulty;
    this.draw = draw;
    var any = draw.pick(List.of(Persona.values()));
    persona = manner.equals("any") ? any : Persona.valueOf(manner.toUpperCase(Locale.ROOT));
  }

  /// What a manner may be.
  static List<String> manners() {
    var personas = Arrays.stream(Persona.values()).map(it -> it.name().toLowerCase(Locale.ROOT));
    return Stream.concat(Stream.of("any"), personas).toList();
  }

  /// A value in this person's words.
  String value(String slot, JsonNode value) {
    return switch (slot) {
      case "vessel" -> phrases.any("called", draw).replace("{x}", name(value.asString()));
      case "reporter" -> name(value.asString());
      case "berth", "from_berth", "to_berth" -> berth(value.asString());
      case "arrival", "lift_date", "move_date" -> date(LocalDate.parse(value.asString()));
      case "nights" -> nights(value.asInt());
      case "litres" -> marked(value.asInt() + draw.pick(List.of(" litres", " litres", " l", "L")));
      default -> phrases.any(value.asString(), draw);
    };
  }

  private static String marked(String value) {
    return OPEN + value + CLOSE;
  }

  private String name(String name) {
    return marked(draw.chance(difficulty.carelessness()) ? name.toLowerCase(Locale.ROOT) : name);
  }

  private String berth(String code) {
    var prefix = draw.chance(0.15) ? "berth " : "";
    if (!draw.chance(difficulty.carelessness())) return prefix + marked(code);
    var letter = code.substring(0, 1);
    var number = code.substring(1);
    return prefix
        + marked(
            draw.pick(
                List.of(
                    letter.toLowerCase(Locale.ROOT) + number,
                    letter + " " + number,
                    letter + "-" + number)));
  }

  private String date(LocalDate date) {
    int day = date.getDayOfMonth();
    var month = date.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
    return marked(
        switch (draw.below(7)) {
          case 0 -> month + " " + ordinal(day);
          case 1 -> "the " + ordinal(day) + " of " + month;
          case 2 -> ordinal(day) + " " + month;
          case 3 -> day + "/" + date.getMonthValue();
          case 4 -> day + " " + month.substring(0, 3);
          default -> day + " " + month;
        });
  }

  private static String ordinal(int day) {
    if (day >= 11 && day <= 13) return day + "th";
    return switch (day % 10) {
      case 1 -> day + "st";
      case 2 -> day + "nd";
      case 3 -> day + "rd";
      default -> day + "th";
    };
  }

  private String nights(int nights) {
    return marked(
        switch (nights) {
          case 1 -> "one night";
          case 7 -> draw.chance(0.5) ? "a week" : "7 nights";
          case 14 -> draw.chance(0.5) ? "a fortnight" : "14 nights";
          default -> nights + " nights";
        });
  }

  /// A whole message that says this: with greeting, digression and farewell, as the person is.
  String message(String body, boolean first) {
    var parts = new ArrayList<String>();
    if (first && phrases.has(persona.section("opener"))) {
      if (draw.chance(0.6)) parts.add(phrases.any(persona.section("opener"), draw));
    }
    boolean rambles = persona != Persona.TERSE && draw.chance(difficulty.rambling());
    boolean before = draw.chance(0.6);
    if (rambles && before) parts.add(phrases.any("aside", draw));
    parts.add(body);
    if (rambles && !before) parts.add(phrases.any("aside", draw));
    if (phrases.has(persona.section("closer"))) {
      if (draw.chance(0.3)) parts.add(phrases.any(persona.section("closer"), draw));
    }
    return answer(String.join(" ", parts));
  }

  /// A short reply: no greeting, but the same hand.
  String answer(String text) {
    var tidy =
        text.replaceAll("\\s+", " ")
            .replaceAll(" ([.,?!:])", "$1")
            .replaceAll("[,:]([.?!])", "$1")
            .replaceAll("([.?!])[.,]", "$1")
            .strip();
    var out = new StringBuilder();
    var marked = MARKED.matcher(tidy);
    int from = 0;
    while (marked.find()) {
      out.append(hand(tidy.substring(from, marked.start()))).append(marked.group());
      from = marked.end();
    }
    out.append(hand(tidy.substring(from)));
    var message = persona == Persona.TERSE ? out.toString() : sentences(out);
    message = message.replace(OPEN + "", "").replace(CLOSE + "", "");
    return persona == Persona.TERSE ? message.replaceAll("[.]+$", "") : message;
  }

  private String hand(String text) {
    var typed = persona == Persona.TERSE ? text.toLowerCase(Locale.ROOT) : text;
    return LONG_WORD
        .matcher(typed)
        .replaceAll(word -> draw.chance(difficulty.typos()) ? slip(word.group()) : word.group());
  }

  /// A word with two inner letters swapped, one lost or one doubled.
  private String slip(String word) {
    int at = 1 + draw.below(word.length() - 2);
    var head = word.substring(0, at);
    var tail = word.substring(at + 1);
    return switch (draw.below(3)) {
      case 0 -> head + tail.charAt(0) + word.charAt(at) + tail.substring(1);
      case 1 -> head + tail;
      default -> head + word.charAt(at) + word.charAt(at) + tail;
    };
  }

  private static String sentences(CharSequence text) {
    var out = new StringBuilder();
    boolean starts = true;
    char last = ' ';
    for (char c : text.toString().toCharArray()) {
      out.append(starts && Character.isLetter(c) ? Character.toUpperCase(c) : c);
      if (c == OPEN || c == CLOSE) continue;
      if (Character.isLetterOrDigit(c)) starts = false;
      if (c == ' ' && (last == '.' || last == '?' || last == '!')) starts = true;
      last = c;
    }
    return out.toString();
  }
}
