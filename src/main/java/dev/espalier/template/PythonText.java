package dev.espalier.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;

/// Python's `str` and `repr`: how a value reads when it is printed.
final class PythonText {
  private PythonText() {}

  static String str(Object value) {
    return switch (value) {
      case String text -> text;
      case Value.Markup markup -> markup.text();
      case Value.Undefined _ -> "";
      default -> repr(value);
    };
  }

  static String repr(Object value) {
    var text = new StringBuilder();
    repr(value, text);
    return text.toString();
  }

  private static void repr(Object value, StringBuilder text) {
    if (text.length() > Budget.MAX_TEXT) {
      throw new Failure("a text is longer than " + Budget.MAX_TEXT + " characters");
    }
    switch (value) {
      case String string -> quote(string, text);
      case Boolean truth -> text.append(truth ? "True" : "False");
      case Long number -> text.append((long) number);
      case BigInteger number -> text.append(number);
      case Double number -> text.append(real(number));
      case Value.Tuple tuple -> items(tuple, "(", tuple.size() == 1 ? ",)" : ")", text);
      case Value.Range range -> range(range, text);
      case List<?> list -> items(list, "[", "]", text);
      case Value other -> special(other, text);
      default -> throw Types.foreign(value);
    }
  }

  private static void special(Value value, StringBuilder text) {
    switch (value) {
      case Value.None _ -> text.append("None");
      case Value.Undefined _ -> text.append("Undefined");
      case Value.Markup markup -> {
        text.append("Markup(");
        quote(markup.text(), text);
        text.append(')');
      }
      case Dict dict -> entries(dict.entries(), text);
      case Value.View view -> items(view.items(), view.kind() + "([", "])", text);
      case Value.Namespace namespace -> {
        text.append("<Namespace ");
        entries(namespace.fields(), text);
        text.append('>');
      }
      case Value.Tuple _, Value.Range _, Value.Generator _, Value.Callable _, Loop _ ->
          throw new Failure("a value of type " + Types.name(value) + " cannot be printed");
    }
  }

  private static void range(Value.Range range, StringBuilder text) {
    text.append("range(").append(range.start).append(", ").append(range.stop);
    if (range.step != 1) {
      text.append(", ").append(range.step);
    }
    text.append(')');
  }

  private static void items(List<?> items, String opening, String closing, StringBuilder text) {
    text.append(opening);
    boolean first = true;
    for (var item : items) {
      if (!first) {
        text.append(", ");
      }
      first = false;
      repr(item, text);
    }
    text.append(closing);
  }

  private static void entries(Map<?, ?> entries, StringBuilder text) {
    text.append('{');
    boolean first = true;
    for (var entry : entries.entrySet()) {
      if (!first) {
        text.append(", ");
      }
      first = false;
      repr(entry.getKey(), text);
      text.append(": ");
      repr(entry.getValue(), text);
    }
    text.append('}');
  }

  /// In single quotes, or in double ones where that saves escapes.
  private static void quote(String string, StringBuilder text) {
    char quote = string.indexOf('\'') >= 0 && string.indexOf('"') < 0 ? '"' : '\'';
    text.append(quote);
    string
        .codePoints()
        .forEach(c -> {
          switch (c) {
            case '\n' -> text.append("\\n");
            case '\r' -> text.append("\\r");
            case '\t' -> text.append("\\t");
            case '\\' -> text.append("\\\\");
            default -> {
              if (c == quote) {
                text.append('\\').append(quote);
              } else if (isPrintable(c)) {
                text.appendCodePoint(c);
              } else {
                text.append(escape(c));
              }
            }
          }
        });
    text.append(quote);
  }

  private static String escape(int c) {
    if (c <= 0xff) {
      return String.format("\\x%02x", c);
    }
    return c <= 0xffff ? String.format("\\u%04x", c) : String.format("\\U%08x", c);
  }

  static boolean isPrintable(int c) {
    return c == ' '
        || switch (Character.getType(c)) {
          case Character.CONTROL,
              Character.FORMAT,
              Character.SURROGATE,
              Character.PRIVATE_USE,
              Character.UNASSIGNED,
              Character.LINE_SEPARATOR,
              Character.PARAGRAPH_SEPARATOR,
              Character.SPACE_SEPARATOR ->
              false;
          default -> true;
        };
  }

  /// The shortest decimal that reads back as the same float, with an exponent only below 1e-4 and
  /// from 1e16 on.
  static String real(double number) {
    if (Double.isNaN(number)) {
      return "nan";
    }
    if (Double.isInfinite(number)) {
      return number > 0 ? "inf" : "-inf";
    }
    if (number == 0) {
      return 1 / number > 0 ? "0.0" : "-0.0";
    }
    var decimal = new BigDecimal(Double.toString(number)).stripTrailingZeros();
    int exponent = decimal.precision() - decimal.scale() - 1;
    if (exponent >= -4 && exponent < 16) {
      var plain = decimal.toPlainString();
      return decimal.scale() <= 0 ? plain + ".0" : plain;
    }
    var digits = decimal.unscaledValue().abs().toString();
    var fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
    return (number < 0 ? "-" : "")
        + digits.charAt(0)
        + fraction
        + (exponent < 0 ? "e-" : "e+")
        + (Math.abs(exponent) < 10 ? "0" : "")
        + Math.abs(exponent);
  }
}
