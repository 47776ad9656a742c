package dev.espalier.template;

import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;

/// Python's `strftime` in the C locale, of a time without a zone.
final class Strftime {
  private Strftime() {}

  static String format(String pattern, LocalDateTime time) {
    var text = new StringBuilder();
    for (int i = 0; i < pattern.length(); i++) {
      char c = pattern.charAt(i);
      if (c != '%') {
        text.append(c);
        continue;
      }
      if (++i == pattern.length()) {
        throw new Failure("a time format ends in the middle of a directive");
      }
      boolean bare = pattern.charAt(i) == '-' && i + 1 < pattern.length();
      var field = field(pattern.charAt(bare ? ++i : i), time);
      text.append(bare ? withoutPadding(field) : field);
    }
    return text.toString();
  }

  private static String withoutPadding(String field) {
    int i = 0;
    while (i < field.length() - 1 && (field.charAt(i) == '0' || field.charAt(i) == ' ')) {
      i++;
    }
    return field.substring(i);
  }

  private static String field(char directive, LocalDateTime time) {
    return switch (directive) {
      case 'a' -> name("EEE", time);
      case 'A' -> name("EEEE", time);
      case 'b', 'h' -> name("MMM", time);
      case 'B' -> name("MMMM", time);
      case 'c' -> format("%a %b %e %H:%M:%S %Y", time);
      case 'C' -> digits(time.getYear() / 100, 2);
      case 'd' -> digits(time.getDayOfMonth(), 2);
      case 'D', 'x' -> format("%m/%d/%y", time);
      case 'e' -> String.format(Locale.ROOT, "%2d", time.getDayOfMonth());
      case 'f' -> digits(time.getNano() / 1000, 6);
      case 'F' -> format("%Y-%m-%d", time);
      case 'G' -> String.valueOf(time.get(IsoFields.WEEK_BASED_YEAR));
      case 'H' -> digits(time.getHour(), 2);
      case 'I' -> digits(time.get(ChronoField.CLOCK_HOUR_OF_AMPM), 2);
      case 'j' -> digits(time.getDayOfYear(), 3);
      case 'm' -> digits(time.getMonthValue(), 2);
      case 'M' -> digits(time.getMinute(), 2);
      case 'n' -> "\n";
      case 'p' -> time.getHour() < 12 ? "AM" : "PM";
      case 'r' -> format("%I:%M:%S %p", time);
      case 'R' -> format("%H:%M", time);
      case 's' -> String.valueOf(time.toEpochSecond(ZoneOffset.UTC));
      case 'S' -> digits(time.getSecond(), 2);
      case 't' -> "\t";
      case 'T', 'X' -> format("%H:%M:%S", time);
      case 'u' -> String.valueOf(weekday(time));
      case 'U' -> digits((time.getDayOfYear() + 6 - weekday(time) % 7) / 7, 2);
      case 'V' -> digits(time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR), 2);
      case 'w' -> String.valueOf(weekday(time) % 7);
      case 'W' -> digits((time.getDayOfYear() + 6 - (weekday(time) - 1)) / 7, 2);
      case 'y' -> digits(time.getYear() % 100, 2);
      case 'Y' -> String.valueOf(time.getYear());
      case 'z', 'Z' -> ""; // no zone
      case '%' -> "%";
      default -> throw new Failure("unknown directive in a time format: %" + directive);
    };
  }

  /// From 1, Monday, to 7.
  private static int weekday(LocalDateTime time) {
    return time.getDayOfWeek().getValue();
  }

  private static String name(String pattern, LocalDateTime time) {
    return time.format(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH));
  }

  private static String digits(int number, int width) {
    return String.format(Locale.ROOT, "%0" + width + "d", number);
  }
}
