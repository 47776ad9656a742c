package dev.espalier.pretrain;

import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.time.format.TextStyle;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// How a person says a value that is written otherwise in the call.
final class Speech {
  private static final List<String> NUMBERS =
      List.of(
          "zero",
          "one",
          "two",
          "three",
          "four",
          "five",
          "six",
          "seven",
          "eight",
          "nine",
          "ten",
          "eleven",
          "twelve",
          "thirteen",
          "fourteen",
          "fifteen",
          "sixteen",
          "seventeen",
          "eighteen",
          "nineteen",
          "twenty");

  private Speech() {}

  /// @param today what the conversation takes as today, null if it does not say
  static String say(Slot slot, Object value, @Nullable LocalDate today, Dice dice) {
    var text = value.toString();
    return switch (slot.kind()) {
      case CODE, SHORTCODE -> code(text, dice);
      case INTEGER, SMALL -> {
        int number = (Integer) value;
        yield number <= 20 && dice.chance(0.3) ? NUMBERS.get(number) : text;
      }
      case DATE -> date(LocalDate.parse(text), today, dice);
      case TIME -> time(text, dice);
      case CHOICE -> {
        var others = slot.synonyms().getOrDefault(text, List.of());
        var plain = text.replace('_', ' ');
        if (!plain.equals(plain.toLowerCase(Locale.ROOT))
            && text.length() > 2
            && dice.chance(0.6)) {
          plain = plain.toLowerCase(Locale.ROOT);
        }
        yield others.isEmpty() || dice.chance(0.65) ? plain : dice.pick(others);
      }
      case TITLE -> dice.chance(0.12) ? "\"" + text + "\"" : text;
      default -> text;
    };
  }

  private static String code(String code, Dice dice) {
    return switch (dice.below(10)) {
      case 0 -> code.toLowerCase(Locale.ROOT);
      case 1 -> code.replace('-', ' ');
      default -> code;
    };
  }

  private static String time(String time, Dice dice) {
    int hour = Integer.parseInt(time.substring(0, 2));
    var minutes = time.substring(3);
    int twelve = (hour + 11) % 12 + 1;
    var half = hour < 12 ? "am" : "pm";
    var clock = minutes.equals("00") ? "" + twelve : twelve + ":" + minutes;
    var dayPart = hour < 12 ? "in the morning" : hour < 18 ? "in the afternoon" : "in the evening";
    return switch (dice.below(10)) {
      case 0, 1, 2, 3 -> time;
      case 4, 5 -> clock + " " + half;
      case 6 -> clock + half;
      case 7 -> clock + " " + dayPart;
      case 8 -> hour < 10 ? time.substring(1) : time;
      default ->
          switch (minutes) {
            case "30" -> "half past " + NUMBERS.get(twelve) + " " + dayPart;
            case "15" -> "quarter past " + NUMBERS.get(twelve) + " " + dayPart;
            case "00" -> hour == 12 ? "noon" : NUMBERS.get(twelve) + " o'clock " + dayPart;
            default -> time;
          };
    };
  }

  private static String date(LocalDate date, @Nullable LocalDate today, Dice dice) {
    if (dice.chance(0.25)) return date.toString();
    if (today == null || dice.chance(0.15)) return withYear(date, dice);
    long ahead = today.until(date, java.time.temporal.ChronoUnit.DAYS);
    if (ahead <= 2 && dice.chance(0.8)) {
      return List.of("today", "tomorrow", "the day after tomorrow").get((int) ahead);
    }
    var near = new ArrayList<String>();
    if (ahead > 0 && ahead < 7) near.add(weekday(date));
    if (ahead > 1 && ahead < 15)
      near.add("in " + (dice.chance(0.5) ? NUMBERS.get((int) ahead) : "" + ahead) + " days");
    if (date.getMonth() == today.getMonth() && ahead < 28) near.add("the " + ordinal(date));
    if (!near.isEmpty() && dice.chance(0.45)) return dice.pick(near);
    return day(date, dice);
  }

  private static String day(LocalDate date, Dice dice) {
    var month = month(date);
    int day = date.getDayOfMonth();
    return switch (dice.below(6)) {
      case 0 -> month + " " + day;
      case 1 -> day + " " + month;
      case 2 -> month + " " + ordinal(date);
      case 3 -> "the " + ordinal(date) + " of " + month;
      case 4 -> ordinal(date) + " " + month;
      default -> month.substring(0, 3) + " " + day;
    };
  }

  private static String withYear(LocalDate date, Dice dice) {
    return switch (dice.below(4)) {
      case 0 -> date.format(DateTimeFormatter.ofPattern("dd.MM.yyyy"));
      case 1 -> month(date) + " " + date.getDayOfMonth() + ", " + date.getYear();
      case 2 -> date.getDayOfMonth() + " " + month(date) + " " + date.getYear();
      default -> day(date, dice) + " " + date.getYear();
    };
  }

  static String weekday(LocalDate date) {
    return date.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
  }

  private static String month(LocalDate date) {
    return date.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
  }

  private static String ordinal(LocalDate date) {
    return date.getDayOfMonth() + DaySwap.ordinal(date.getDayOfMonth());
  }

  /// How an assistant repeats the value: plainly.
  static String show(Slot slot, Object value, Dice dice) {
    if (slot.kind() == Kind.FLAG) return (Boolean) value ? "yes" : "no";
    var text = value.toString();
    if (slot.kind() == Kind.DATE && dice.chance(0.5)) return day(LocalDate.parse(text), dice);
    return slot.unit().isEmpty() ? text : text + " " + slot.unit();
  }
}
