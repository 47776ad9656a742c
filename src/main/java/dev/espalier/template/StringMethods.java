package dev.espalier.template;

import static java.util.Map.entry;

import dev.espalier.template.Value.Callable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The methods of Python's `str`.
final class StringMethods {
  @FunctionalInterface
  private interface Method {
    Object apply(String text, Arguments arguments, Budget budget);
  }

  @FunctionalInterface
  private interface Plain {
    Object apply(String text);
  }

  private static final Map<String, Method> METHODS =
      Map.ofEntries(
          entry("capitalize", plain(Casing::capitalize)),
          entry("center", (text, a, b) -> Padding.pad(text, a, Padding.Side.BOTH, b)),
          entry("count", (text, a, b) -> Search.count(text, a, b)),
          entry("endswith", (text, a, _) -> Search.endsWith(text, a)),
          entry("expandtabs", Padding::expandTabs),
          entry("find", (text, a, b) -> Search.find(text, a, false, b)),
          entry("format", (text, a, b) -> b.made(BraceFormat.format(text, a))),
          entry("index", (text, a, b) -> Search.index(text, a, false, b)),
          entry("isalnum", plain(Casing::isAlphanumeric)),
          entry("isalpha", plain(Casing::isAlphabetic)),
          entry("isascii", plain(text -> text.chars().allMatch(c -> c < 0x80))),
          entry("isdecimal", plain(Casing::isDecimal)),
          entry("isdigit", plain(Casing::isDigit)),
          entry("islower", plain(Casing::isLower)),
          entry("isnumeric", plain(Casing::isNumeric)),
          entry("isspace", plain(text -> !text.isEmpty() && Strip.isBlank(text, 0))),
          entry("istitle", plain(Casing::isTitle)),
          entry("isupper", plain(Casing::isUpper)),
          entry("join", StringMethods::join),
          entry("ljust", (text, a, b) -> Padding.pad(text, a, Padding.Side.RIGHT, b)),
          entry("lower", plain(text -> text.toLowerCase(Locale.ROOT))),
          entry("lstrip", (text, a, b) -> strip(text, a, true, false, b)),
          entry("partition", (text, a, b) -> Splitting.partition(text, a, false, b)),
          entry("removeprefix", StringMethods::removePrefix),
          entry("removesuffix", StringMethods::removeSuffix),
          entry("replace", StringMethods::replace),
          entry("rfind", (text, a, b) -> Search.find(text, a, true, b)),
          entry("rindex", (text, a, b) -> Search.index(text, a, true, b)),
          entry("rjust", (text, a, b) -> Padding.pad(text, a, Padding.Side.LEFT, b)),
          entry("rpartition", (text, a, b) -> Splitting.partition(text, a, true, b)),
          entry("rsplit", (text, a, b) -> Splitting.split(text, a, true, b)),
          entry("rstrip", (text, a, b) -> strip(text, a, false, true, b)),
          entry("split", (text, a, b) -> Splitting.split(text, a, false, b)),
          entry("splitlines", Splitting::lines),
          entry("startswith", (text, a, _) -> Search.startsWith(text, a)),
          entry("strip", (text, a, b) -> strip(text, a, true, true, b)),
          entry("swapcase", plain(Casing::swap)),
          entry("title", plain(Casing::title)),
          entry("upper", plain(text -> text.toUpperCase(Locale.ROOT))),
          entry("zfill", Padding::zeros));

  private static final Set<String> UNSUPPORTED =
      Set.of(
          "casefold",
          "encode",
          "format_map",
          "isidentifier",
          "isprintable",
          "maketrans",
          "translate");

  private StringMethods() {}

  /// The method of that name; null if Python has none.
  static @Nullable Callable of(String text, String name) {
    var method = METHODS.get(name);
    if (method != null) {
      return (arguments, interpreter) -> {
        interpreter.budget().scan(text.length());
        return method.apply(text, arguments, interpreter.budget());
      };
    }
    if (UNSUPPORTED.contains(name)) {
      throw new Failure("the method '" + name + "' of strings is not supported");
    }
    return null;
  }

  /// The same of safe text: what comes of it is safe too.
  static @Nullable Callable of(Value.Markup markup, String name) {
    var method = of(markup.text(), name);
    if (method == null) {
      return null;
    }
    return (arguments, interpreter) -> {
      requireNothingToEscape(arguments);
      return safe(method.call(arguments, interpreter));
    };
  }

  private static void requireNothingToEscape(Arguments arguments) {
    for (var argument : arguments.positional()) {
      if (argument instanceof String text && !Html.escape(text).equals(text)) {
        throw new Failure("a method of safe text with an argument that HTML would escape");
      }
    }
  }

  private static Object safe(Object value) {
    return switch (value) {
      case String text -> new Value.Markup(text);
      case Value.Tuple tuple -> new Value.Tuple(tuple.stream().map(StringMethods::safe).toList());
      case List<?> list -> new ArrayList<Object>(list.stream().map(StringMethods::safe).toList());
      default -> value;
    };
  }

  private static Method plain(Plain method) {
    return (text, arguments, budget) -> {
      arguments.bind();
      var result = method.apply(text);
      return result instanceof String made ? budget.made(made) : result;
    };
  }

  static String strip(
      String text, Arguments arguments, boolean left, boolean right, Budget budget) {
    var bound = arguments.bind("chars");
    var stripped = text;
    if (bound.orNone(0) == null) {
      stripped = left ? Strip.left(stripped) : stripped;
      stripped = right ? Strip.right(stripped) : stripped;
    } else {
      budget.search(text.length(), bound.text(0).length());
      stripped = left ? Strip.left(stripped, bound.text(0)) : stripped;
      stripped = right ? Strip.right(stripped, bound.text(0)) : stripped;
    }
    return budget.made(stripped);
  }

  private static String removePrefix(String text, Arguments arguments, Budget budget) {
    var prefix = arguments.bind("prefix").text(0);
    return text.startsWith(prefix) ? budget.made(text.substring(prefix.length())) : text;
  }

  private static String removeSuffix(String text, Arguments arguments, Budget budget) {
    var suffix = arguments.bind("suffix").text(0);
    return text.endsWith(suffix)
        ? budget.made(text.substring(0, text.length() - suffix.length()))
        : text;
  }

  private static String replace(String text, Arguments arguments, Budget budget) {
    var bound = arguments.bind("old", "new", "count");
    return replace(text, bound.text(0), bound.text(1), bound.integer(2, -1), budget);
  }

  /// Replaces the first `count` occurrences, or all if it is negative.
  static String replace(String text, String old, String by, int count, Budget budget) {
    long left = count < 0 ? Long.MAX_VALUE : count;
    budget.search(text.length(), old.length());
    var replaced = new StringBuilder();
    int from = 0;
    while (left-- > 0) {
      int at = text.indexOf(old, from);
      if (at < 0) {
        break;
      }
      replaced.append(text, from, at).append(by);
      budget.text(replaced.length(), by.length() + 1L);
      from = at + old.length();
      if (old.isEmpty()) {
        if (at == text.length()) {
          break;
        }
        from = text.offsetByCodePoints(at, 1);
        replaced.append(text, at, from);
      }
    }
    replaced.append(text, Math.min(from, text.length()), text.length());
    return budget.made(replaced.toString());
  }

  private static String join(String separator, Arguments arguments, Budget budget) {
    var joined = new StringBuilder();
    boolean first = true;
    for (var items = Types.iterate(arguments.bind("iterable").required(0)); items.hasNext(); ) {
      var item = items.next();
      var text = Types.text(item);
      if (text == null) {
        throw Types.mismatch("strings to join", item);
      }
      joined.append(first ? "" : separator).append(text);
      budget.text(joined.length(), (long) text.length() + separator.length());
      first = false;
    }
    return joined.toString();
  }
}
