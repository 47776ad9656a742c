package dev.espalier.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Python's `pattern % values`.
final class PercentFormat {
  private static final Pattern DIRECTIVE =
      Pattern.compile("%(?:\\((\\w+)\\))?([-+ 0]*)(\\d{0,4})(?:\\.(\\d{0,3}))?(.)", Pattern.DOTALL);

  private PercentFormat() {}

  /// @param values a tuple, a dict for `%(name)s`, or one value by itself
  static String format(String pattern, Object values) {
    List<?> all = values instanceof Value.Tuple tuple ? tuple : List.of(values);
    var next = all.iterator();
    var text = new StringBuilder();
    var directive = DIRECTIVE.matcher(pattern);
    int from = 0;
    while (directive.find()) {
      text.append(pattern, from, directive.start());
      from = directive.end();
      if (directive.group(5).equals("%")) {
        text.append('%');
      } else {
        text.append(field(directive, value(directive, values, next)));
      }
    }
    if (pattern.indexOf('%', from) >= 0) {
      throw new Failure("a format ends in the middle of a directive");
    }
    if (next.hasNext() && !isMapping(values)) {
      throw new Failure("a format has fewer directives than there are values");
    }
    return text.append(pattern, from, pattern.length()).toString();
  }

  /// What Python takes for one, and then lets go unused.
  private static boolean isMapping(Object values) {
    return values instanceof Dict
        || values instanceof Value.Undefined
        || (values instanceof List && !(values instanceof Value.Tuple));
  }

  private static Object value(Matcher directive, Object values, Iterator<?> next) {
    var name = directive.group(1);
    if (name != null) {
      var value = values instanceof Dict dict ? dict.get(name) : null;
      if (value == null) {
        throw new Failure("a format needs the value '" + name + "'");
      }
      return value;
    }
    if (!next.hasNext()) {
      throw new Failure("a format has more directives than there are values");
    }
    return next.next();
  }

  private static String field(Matcher directive, Object value) {
    var flags = directive.group(2);
    int width = directive.group(3).isEmpty() ? 0 : Integer.parseInt(directive.group(3));
    var precision = directive.group(4);
    int digits = precision == null ? -1 : precision.isEmpty() ? 0 : Integer.parseInt(precision);
    var body =
        switch (directive.group(5)) {
          case "s" -> cut(PythonText.str(value), digits);
          case "r" -> cut(PythonText.repr(value), digits);
          case "d", "i", "u" -> sign(whole(value, digits).toString(), flags);
          case "x" -> sign(whole(value, digits).toString(16), flags);
          case "X" -> sign(whole(value, digits).toString(16).toUpperCase(Locale.ROOT), flags);
          case "o" -> sign(whole(value, digits).toString(8), flags);
          case "f", "F" -> sign(fixed(value, digits < 0 ? 6 : digits), flags);
          default ->
              throw new Failure(
                  "the format directive %" + directive.group(5) + " is not supported");
        };
    int missing = Math.max(0, width - Types.size(body));
    if (flags.contains("-")) {
      return body + " ".repeat(missing);
    }
    boolean number = !"sr".contains(directive.group(5));
    if (flags.contains("0") && number) {
      int sign = "+- ".indexOf(body.charAt(0)) >= 0 ? 1 : 0;
      return body.substring(0, sign) + "0".repeat(missing) + body.substring(sign);
    }
    return " ".repeat(missing) + body;
  }

  private static String cut(String text, int digits) {
    return digits < 0 || digits >= Types.size(text)
        ? text
        : text.substring(0, text.offsetByCodePoints(0, digits));
  }

  private static String sign(String number, String flags) {
    if (number.startsWith("-")) {
      return number;
    }
    return (flags.contains("+") ? "+" : flags.contains(" ") ? " " : "") + number;
  }

  private static BigInteger whole(Object value, int digits) {
    if (digits >= 0) {
      throw new Failure("a precision for whole numbers is not supported");
    }
    return switch (number(value)) {
      case Double d when Double.isFinite(d) -> new BigDecimal(d).toBigInteger();
      case Double _ -> throw new Failure("a float that is no number cannot be a whole one");
      case Number number -> Numbers.toBig(number);
    };
  }

  private static String fixed(Object value, int digits) {
    return switch (number(value)) {
      case Double d when !Double.isFinite(d) -> PythonText.real(d);
      case Double d -> {
        var rounded = new BigDecimal(d).setScale(digits, RoundingMode.HALF_EVEN);
        boolean lostSign = rounded.signum() == 0 && (d < 0 || 1 / d < 0);
        yield (lostSign ? "-" : "") + rounded.toPlainString();
      }
      case Number number ->
          new BigDecimal(Numbers.toBig(number))
              .setScale(digits, RoundingMode.UNNECESSARY)
              .toPlainString();
    };
  }

  private static Number number(Object value) {
    var number = Numbers.number(value);
    if (number == null) {
      throw Types.mismatch("a number for a format directive", value);
    }
    return number;
  }
}
