package dev.espalier.template;

import static java.util.Map.entry;

import dev.espalier.template.JsonText.Separators;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;

/// Filters that make text.
final class TextFilters {
  static final Map<String, Filter> ALL =
      Map.ofEntries(
          entry("capitalize", plain(Casing::capitalize)),
          entry("center", TextFilters::center),
          entry("e", TextFilters::escape),
          entry("escape", TextFilters::escape),
          entry("format", TextFilters::format),
          entry("indent", TextFilters::indent),
          entry("lower", plain(text -> text.toLowerCase(Locale.ROOT))),
          entry("replace", TextFilters::replace),
          entry("safe", TextFilters::safe),
          entry("string", plain(text -> text)),
          entry("title", plain(TextFilters::title)),
          entry("tojson", TextFilters::toJson),
          entry("trim", TextFilters::trim),
          entry("truncate", TextFilters::truncate),
          entry("upper", plain(text -> text.toUpperCase(Locale.ROOT))));

  private TextFilters() {}

  private static Filter plain(UnaryOperator<String> change) {
    return (input, arguments, interpreter) -> {
      arguments.bind();
      var changed = interpreter.budget().made(change.apply(PythonText.str(input)));
      return like(input, changed);
    };
  }

  /// Text made of safe text is safe.
  private static Object like(Object input, String text) {
    return input instanceof Value.Markup ? new Value.Markup(text) : text;
  }

  private static Object center(Object input, Arguments arguments, Interpreter interpreter) {
    int width = arguments.bind("width").integer(0, 80);
    var text = PythonText.str(input);
    return like(input, Padding.pad(text, width, " ", Padding.Side.BOTH, interpreter.budget()));
  }

  private static Object escape(Object input, Arguments arguments, Interpreter interpreter) {
    arguments.bind();
    return new Value.Markup(interpreter.budget().made(Html.escape(input)));
  }

  private static Object safe(Object input, Arguments arguments, Interpreter interpreter) {
    arguments.bind();
    return new Value.Markup(PythonText.str(input));
  }

  private static Object format(Object input, Arguments arguments, Interpreter interpreter) {
    if (input instanceof Value.Markup) {
      throw new Failure("'format' of safe text is not supported");
    }
    boolean both = !arguments.named().isEmpty() && !arguments.positional().isEmpty();
    if (both) {
      throw new Failure("'format' takes positional or named arguments, not both");
    }
    Object values = new Value.Tuple(arguments.positional());
    if (!arguments.named().isEmpty()) {
      var dict = new Dict();
      arguments.named().forEach(dict::put);
      values = dict;
    }
    return interpreter.budget().made(PercentFormat.format(PythonText.str(input), values));
  }

  private static Object trim(Object input, Arguments arguments, Interpreter interpreter) {
    var text = PythonText.str(input);
    return like(input, StringMethods.strip(text, arguments, true, true, interpreter.budget()));
  }

  private static Object replace(Object input, Arguments arguments, Interpreter interpreter) {
    var bound = arguments.bind("old", "new", "count");
    int count = bound.orNone(2) == null ? -1 : bound.integer(2, -1);
    return StringMethods.replace(
        PythonText.str(input),
        PythonText.str(bound.required(0)),
        PythonText.str(bound.required(1)),
        count,
        interpreter.budget());
  }

  /// Capitals after spaces, hyphens and opening brackets; unlike Python's own `title`.
  private static String title(String text) {
    var title = new StringBuilder(text.length());
    boolean start = true;
    for (int c : text.codePoints().toArray()) {
      boolean separator = c == '-' || "({[<".indexOf(c) >= 0 || Strip.isSpace(c);
      var character = Character.toString(c);
      title.append(start ? character.toUpperCase(Locale.ROOT) : character.toLowerCase(Locale.ROOT));
      start = separator;
    }
    return title.toString();
  }

  private static Object indent(Object input, Arguments arguments, Interpreter interpreter) {
    var bound = arguments.bind("width", "first", "blank");
    var text = Types.text(input);
    if (text == null) {
      throw Types.mismatch("a string", input);
    }
    var given = Types.text(bound.or(0, 4L));
    var width = given == null ? " ".repeat(Math.clamp(bound.integer(0, 4), 0, 1 << 16)) : given;
    var lines = (List<?>) Splitting.lines(text + "\n", Arguments.NONE, interpreter.budget());
    boolean first = bound.truth(1, false);
    boolean blank = bound.truth(2, false);
    var indented = new StringBuilder();
    for (int i = 0; i < lines.size(); i++) {
      var line = (String) lines.get(i);
      boolean indents = i == 0 ? first : blank || !line.isEmpty();
      indented.append(i == 0 ? "" : "\n").append(indents ? width : "").append(line);
      interpreter.budget().text(indented.length(), (long) line.length() + width.length());
    }
    return like(input, indented.toString());
  }

  private static Object truncate(Object input, Arguments arguments, Interpreter interpreter) {
    var bound = arguments.bind("length", "killwords", "end", "leeway");
    var text = Types.text(input);
    if (text == null) {
      throw Types.mismatch("a string", input);
    }
    int length = bound.integer(0, 255);
    var end = bound.text(2, "...");
    int leeway = bound.orNone(3) == null ? 5 : bound.integer(3, 5);
    int kept = length - Types.size(end);
    if (kept < 0 || leeway < 0) {
      throw new Failure("'truncate' needs a length of at least that of its end");
    }
    if (Types.size(text) <= length + leeway) {
      return input;
    }
    var cut = text.substring(0, text.offsetByCodePoints(0, kept));
    int space = cut.lastIndexOf(' ');
    boolean whole = !bound.truth(1, false) && space >= 0;
    return interpreter.budget().made((whole ? cut.substring(0, space) : cut) + end);
  }

  /// As Hugging Face has it: nothing is escaped for HTML, and text stays as it is unless
  /// `ensure_ascii` says otherwise.
  private static Object toJson(Object input, Arguments arguments, Interpreter interpreter) {
    var bound = arguments.bind("ensure_ascii", "indent", "separators", "sort_keys");
    boolean lines = bound.orNone(1) != null;
    var separators = lines ? Separators.LINES : Separators.ONE_LINE;
    if (bound.orNone(2) != null) {
      separators = separators(bound.required(2));
    }
    var style =
        new JsonText.Style(
            bound.truth(0, false),
            lines,
            lines ? jsonIndent(bound) : "",
            separators,
            bound.truth(3, false));
    return interpreter.budget().made(JsonText.of(input, style, interpreter.budget()));
  }

  private static String jsonIndent(Arguments.Bound bound) {
    var text = Types.text(bound.required(1));
    return text == null ? " ".repeat(Math.clamp(bound.integer(1, 0), 0, 256)) : text;
  }

  private static Separators separators(Object value) {
    if (value instanceof List<?> pair && pair.size() == 2) {
      var item = Types.text(pair.get(0));
      var key = Types.text(pair.get(1));
      if (item != null && key != null) {
        return new Separators(item, key);
      }
    }
    throw new Failure("the separators of JSON are a pair of strings");
  }
}
