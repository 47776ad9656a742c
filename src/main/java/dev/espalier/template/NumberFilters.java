package dev.espalier.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Filters that make numbers.
final class NumberFilters {
  static final Map<String, Filter> ALL =
      Map.of(
          "abs", NumberFilters::abs,
          "float", NumberFilters::toFloat,
          "int", NumberFilters::toInt,
          "round", NumberFilters::round);

  private static final Pattern FLOAT =
      Pattern.compile(
          "[+-]?(?:\\d+(?:_\\d+)*\\.?(?:\\d+(?:_\\d+)*)?|\\.\\d+(?:_\\d+)*)(?:[eE][+-]?\\d+)?");
  private static final Pattern WHOLE = Pattern.compile("[+-]?\\d+(?:_\\d+)*");
  private static final int MAX_PRECISION = 300;

  private NumberFilters() {}

  private static Number number(Object input) {
    var number = Numbers.number(input);
    if (number == null) {
      throw Types.mismatch("a number", input);
    }
    return number;
  }

  private static Object abs(Object input, Arguments arguments, Interpreter interpreter) {
    arguments.bind();
    var number = number(input);
    if (number instanceof Double d) {
      return Math.abs(d);
    }
    return Numbers.compare(number, 0L) < 0 ? Numbers.negate(number) : number;
  }

  private static Object toInt(Object input, Arguments arguments, Interpreter interpreter) {
    var bound = arguments.bind("default", "base");
    if (input instanceof Value.Undefined undefined) {
      throw undefined.failure();
    }
    var text = Types.text(input);
    var number = Numbers.number(input);
    if (text != null) {
      var whole = whole(text, bound.integer(1, 10));
      if (whole != null) {
        return whole;
      }
      number = real(text);
    }
    if (number instanceof Double d) {
      return Double.isFinite(d) ? Numbers.whole(new BigDecimal(d).toBigInteger()) : bound.or(0, 0L);
    }
    return number == null ? bound.or(0, 0L) : number;
  }

  private static @Nullable Object whole(String text, int base) {
    var digits = Strip.left(Strip.right(text));
    if (base != 10) {
      return inBase(digits, base);
    }
    if (!WHOLE.matcher(digits).matches()) {
      return null;
    }
    return digits.length() > 4300 ? null : Numbers.whole(new BigInteger(digits.replace("_", "")));
  }

  private static @Nullable Object inBase(String digits, int base) {
    if (base != 2 && base != 8 && base != 16) {
      throw new Failure("'int' knows the bases 2, 8, 10 and 16");
    }
    var prefix = base == 2 ? "0b" : base == 8 ? "0o" : "0x";
    boolean prefixed = digits.regionMatches(true, 0, prefix, 0, 2);
    try {
      return Numbers.whole(new BigInteger(prefixed ? digits.substring(2) : digits, base));
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private static Object toFloat(Object input, Arguments arguments, Interpreter interpreter) {
    var bound = arguments.bind("default");
    if (input instanceof Value.Undefined undefined) {
      throw undefined.failure();
    }
    var text = Types.text(input);
    var number = text == null ? Numbers.number(input) : real(text);
    return number == null ? bound.or(0, 0.0) : number.doubleValue();
  }

  private static @Nullable Double real(String text) {
    var digits = Strip.left(Strip.right(text));
    if (FLOAT.matcher(digits).matches()) {
      return Double.parseDouble(digits.replace("_", ""));
    }
    return switch (digits.toLowerCase(Locale.ROOT)) {
      case "inf", "+inf", "infinity", "+infinity" -> Double.POSITIVE_INFINITY;
      case "-inf", "-infinity" -> Double.NEGATIVE_INFINITY;
      case "nan", "+nan", "-nan" -> Double.NaN;
      default -> null;
    };
  }

  private static Object round(Object input, Arguments arguments, Interpreter interpreter) {
    var bound = arguments.bind("precision", "method");
    int precision = bound.integer(0, 0);
    if (Math.abs(precision) > MAX_PRECISION) {
      throw new Failure("'round' to more than " + MAX_PRECISION + " digits");
    }
    var number = number(input);
    return switch (bound.text(1, "common")) {
      case "common" -> round(number, precision);
      case "ceil" -> scaled(number, precision, RoundingMode.CEILING);
      case "floor" -> scaled(number, precision, RoundingMode.FLOOR);
      default -> throw new Failure("'round' knows the methods common, ceil and floor");
    };
  }

  /// To the even neighbour when in the middle, as Python does; a whole number stays one.
  private static Object round(Number number, int precision) {
    if (number instanceof Double d) {
      return Double.isFinite(d)
          ? Math.copySign(
              new BigDecimal(d).setScale(precision, RoundingMode.HALF_EVEN).doubleValue(), d)
          : d;
    }
    if (precision >= 0) {
      return number;
    }
    return Numbers.whole(
        new BigDecimal(Numbers.toBig(number))
            .setScale(precision, RoundingMode.HALF_EVEN)
            .toBigInteger());
  }

  private static Object scaled(Number number, int precision, RoundingMode mode) {
    double scale = Math.pow(10, precision);
    double value = number.doubleValue() * scale;
    if (!Double.isFinite(value)) {
      throw new Failure("cannot round " + PythonText.str(number));
    }
    return (mode == RoundingMode.CEILING ? Math.ceil(value) : Math.floor(value)) / scale;
  }
}
