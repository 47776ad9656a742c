package dev.espalier.template;

import dev.espalier.template.Expression.Operator;
import java.math.BigDecimal;
import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/// Python's arithmetic: whole numbers of any size, and floor division.
final class Numbers {
  /// Whole numbers may have so many bits; Python refuses to print more than 4,300 digits.
  private static final int MAX_BITS = 14_000;

  private Numbers() {}

  /// A whole number as a template writes it: decimal, or after `0x`, `0o` or `0b`.
  static Object parseLiteral(String digits) {
    int radix =
        switch (digits.length() > 1 ? Character.toLowerCase(digits.charAt(1)) : ' ') {
          case 'x' -> 16;
          case 'o' -> 8;
          case 'b' -> 2;
          default -> 10;
        };
    return whole(new BigInteger(radix == 10 ? digits : digits.substring(2), radix));
  }

  /// The value of a whole number: a long if it fits.
  static Object whole(BigInteger number) {
    if (number.bitLength() < Long.SIZE) {
      return number.longValue();
    }
    if (number.bitLength() > MAX_BITS) {
      throw new Failure("a whole number is too large");
    }
    return number;
  }

  static boolean isNumber(Object value) {
    return value instanceof Long
        || value instanceof Double
        || value instanceof Boolean
        || value instanceof BigInteger;
  }

  /// The number that a bool, an int or a float is; null for anything else.
  static @Nullable Number number(Object value) {
    return switch (value) {
      case Long number -> number;
      case Double number -> number;
      case BigInteger number -> number;
      case Boolean truth -> truth ? 1L : 0L;
      default -> null;
    };
  }

  static Object calculate(Operator operator, Number left, Number right) {
    if (left instanceof Double || right instanceof Double) {
      return calculate(operator, toDouble(left), toDouble(right));
    }
    if (operator == Operator.DIVIDE) {
      requireDivisor(toBig(right).signum() != 0);
      return toDouble(left) / toDouble(right);
    }
    if (left instanceof Long a && right instanceof Long b) {
      try {
        return calculateExactly(operator, a, b);
      } catch (ArithmeticException overflow) {
        return calculate(operator, toBig(left), toBig(right));
      }
    }
    return calculate(operator, toBig(left), toBig(right));
  }

  private static Object calculateExactly(Operator operator, long left, long right) {
    return switch (operator) {
      case ADD -> Math.addExact(left, right);
      case SUBTRACT -> Math.subtractExact(left, right);
      case MULTIPLY -> Math.multiplyExact(left, right);
      case FLOOR_DIVIDE -> {
        requireDivisor(right != 0);
        yield Math.floorDivExact(left, right);
      }
      case MODULO -> {
        requireDivisor(right != 0);
        yield Math.floorMod(left, right);
      }
      case POWER, DIVIDE -> throw new ArithmeticException("not in longs");
    };
  }

  private static Object calculate(Operator operator, BigInteger left, BigInteger right) {
    return switch (operator) {
      case ADD -> whole(left.add(right));
      case SUBTRACT -> whole(left.subtract(right));
      case MULTIPLY -> whole(left.multiply(right));
      case FLOOR_DIVIDE -> {
        requireDivisor(right.signum() != 0);
        var parts = left.divideAndRemainder(right);
        boolean below = parts[1].signum() * right.signum() < 0;
        yield whole(below ? parts[0].subtract(BigInteger.ONE) : parts[0]);
      }
      case MODULO -> {
        requireDivisor(right.signum() != 0);
        var rest = left.remainder(right);
        yield whole(rest.signum() * right.signum() < 0 ? rest.add(right) : rest);
      }
      case POWER -> power(left, right);
      case DIVIDE -> throw new IllegalStateException("whole numbers divide to floats");
    };
  }

  private static Object power(BigInteger base, BigInteger exponent) {
    if (exponent.signum() < 0) {
      requireDivisor(base.signum() != 0);
      return Math.pow(toDouble(base), toDouble(exponent));
    }
    int bits = base.abs().bitLength();
    boolean large = exponent.bitLength() > 16;
    if (bits <= 1 && large) { // 0, 1 or -1
      return whole(exponent.testBit(0) ? base : base.multiply(base));
    }
    if (large || (long) bits * exponent.intValue() > MAX_BITS * 2L) {
      throw new Failure("a whole number is too large");
    }
    return whole(base.pow(exponent.intValue()));
  }

  private static Object calculate(Operator operator, double left, double right) {
    return switch (operator) {
      case ADD -> left + right;
      case SUBTRACT -> left - right;
      case MULTIPLY -> left * right;
      case DIVIDE -> {
        requireDivisor(right != 0);
        yield left / right;
      }
      case FLOOR_DIVIDE -> {
        requireDivisor(right != 0);
        yield Math.floor((left - modulo(left, right)) / right + 0.25);
      }
      case MODULO -> {
        requireDivisor(right != 0);
        yield modulo(left, right);
      }
      case POWER -> power(left, right);
    };
  }

  private static double modulo(double left, double right) {
    double rest = left % right;
    if (rest == 0) {
      return Math.copySign(0.0, right);
    }
    return (rest < 0) == (right < 0) ? rest : rest + right;
  }

  private static Object power(double base, double exponent) {
    requireDivisor(base != 0 || exponent >= 0);
    if (base < 0 && exponent != Math.rint(exponent)) {
      throw new Failure("a root of a negative number is a complex one");
    }
    double result = Math.pow(base, exponent);
    if (Double.isInfinite(result) && !Double.isInfinite(base) && !Double.isInfinite(exponent)) {
      throw new Failure("a float is too large");
    }
    return result;
  }

  private static void requireDivisor(boolean fine) {
    if (!fine) {
      throw new Failure("division by zero");
    }
  }

  static Object negate(Number number) {
    return switch (number) {
      case Double d -> -d;
      case Long l when l != Long.MIN_VALUE -> -l;
      default -> whole(toBig(number).negate());
    };
  }

  static int compare(Number left, Number right) {
    if (left instanceof Long a && right instanceof Long b) {
      return Long.compare(a, b);
    }
    if (isFinite(left) && isFinite(right)) {
      return exact(left).compareTo(exact(right));
    }
    return Double.compare(left.doubleValue(), right.doubleValue());
  }

  private static boolean isFinite(Number number) {
    return !(number instanceof Double d) || Double.isFinite(d);
  }

  private static BigDecimal exact(Number number) {
    return number instanceof Double d ? new BigDecimal(d) : new BigDecimal(toBig(number));
  }

  static BigInteger toBig(Number number) {
    return number instanceof BigInteger big ? big : BigInteger.valueOf(number.longValue());
  }

  private static double toDouble(Number number) {
    double value = number.doubleValue();
    if (Double.isInfinite(value) && number instanceof BigInteger) {
      throw new Failure("a whole number is too large for a float");
    }
    return value;
  }
}
