package dev.espalier.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/// Python's `json.dumps`, as the `tojson` of chat templates calls it.
final class JsonText {
  /// @param indent what one level is indented by; absent means one line
  /// @param separators what stands between items, and between key and value
  record Style(
      boolean ascii, boolean lines, String indent, Separators separators, boolean sorted) {}

  record Separators(String item, String key) {
    static final Separators ONE_LINE = new Separators(", ", ": ");
    static final Separators LINES = new Separators(",", ": ");
  }

  private final StringBuilder text = new StringBuilder();
  private final Style style;
  private final Budget budget;

  private JsonText(Style style, Budget budget) {
    this.style = style;
    this.budget = budget;
  }

  static String of(Object value, Style style, Budget budget) {
    var json = new JsonText(style, budget);
    json.write(value, 0);
    return json.text.toString();
  }

  private void write(Object value, int depth) {
    if (text.length() > Budget.MAX_TEXT) {
      throw new Failure("a text is longer than " + Budget.MAX_TEXT + " characters");
    }
    switch (value) {
      case String string -> quote(string);
      case Value.Markup markup -> quote(markup.text());
      case Dict dict -> object(dict, depth);
      case Boolean _, Long _, BigInteger _, Double _, Value.None _ -> text.append(scalar(value));
      case Value.Range _ -> throw unsupported(value);
      case List<?> list -> array(list, depth);
      default -> throw unsupported(value);
    }
  }

  private static Failure unsupported(Object value) {
    return value instanceof Value.Undefined undefined
        ? undefined.failure()
        : new Failure("a value of type " + Types.name(value) + " has no JSON");
  }

  private static String scalar(Object value) {
    return switch (value) {
      case Boolean truth -> truth ? "true" : "false";
      case Value.None _ -> "null";
      case Double number when number.isNaN() -> "NaN";
      case Double number when number.isInfinite() -> number > 0 ? "Infinity" : "-Infinity";
      default -> PythonText.str(value);
    };
  }

  private void array(List<?> items, int depth) {
    if (items.isEmpty()) {
      text.append("[]");
      return;
    }
    char opening = '[';
    for (var item : items) {
      text.append(opening == '[' ? "[" : style.separators().item());
      opening = ',';
      line(depth + 1);
      write(item, depth + 1);
    }
    line(depth);
    text.append(']');
  }

  private void object(Dict dict, int depth) {
    if (dict.size() == 0) {
      text.append("{}");
      return;
    }
    var entries = new ArrayList<>(dict.entries().entrySet());
    if (style.sorted()) {
      entries.sort((a, b) -> Comparisons.compare(a.getKey(), b.getKey(), budget));
    }
    char opening = '{';
    for (var entry : entries) {
      text.append(opening == '{' ? "{" : style.separators().item());
      opening = ',';
      line(depth + 1);
      quote(key(entry.getKey()));
      text.append(style.separators().key());
      write(entry.getValue(), depth + 1);
    }
    line(depth);
    text.append('}');
  }

  private static String key(Object key) {
    return switch (key) {
      case String string -> string;
      case Boolean _, Long _, BigInteger _, Double _, Value.None _ -> scalar(key);
      default -> throw new Failure("a " + Types.name(key) + " cannot be a key in JSON");
    };
  }

  private void line(int depth) {
    if (style.lines()) {
      text.append('\n');
      text.repeat(style.indent(), depth);
    }
  }

  private void quote(String string) {
    text.append('"');
    for (int i = 0; i < string.length(); i++) {
      char c = string.charAt(i);
      switch (c) {
        case '"' -> text.append("\\\"");
        case '\\' -> text.append("\\\\");
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        case '\f' -> text.append("\\f");
        case '\b' -> text.append("\\b");
        default -> {
          if (c < ' ' || (style.ascii() && c > '~')) {
            text.append(String.format("\\u%04x", (int) c));
          } else {
            text.append(c);
          }
        }
      }
    }
    text.append('"');
  }
}
