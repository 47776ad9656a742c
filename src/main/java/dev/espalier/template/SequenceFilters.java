package dev.espalier.template;

import static java.util.Map.entry;

import dev.espalier.template.Expression.Operator;
import dev.espalier.template.Value.Generator;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/// Filters over lists, dicts and whatever else can be walked.
final class SequenceFilters {
  static final Map<String, Filter> ALL =
      Map.ofEntries(
          entry("batch", SequenceFilters::batch),
          entry("count", SequenceFilters::length),
          entry("dictsort", SequenceFilters::dictSort),
          entry("first", SequenceFilters::first),
          entry("items", SequenceFilters::items),
          entry("join", SequenceFilters::join),
          entry("last", SequenceFilters::last),
          entry("length", SequenceFilters::length),
          entry("list", (input, arguments, interpreter) -> list(input, arguments, interpreter)),
          entry("max", (input, a, interpreter) -> extreme(input, a, 1, interpreter.budget())),
          entry("min", (input, a, interpreter) -> extreme(input, a, -1, interpreter.budget())),
          entry("reverse", SequenceFilters::reverse),
          entry("slice", SequenceFilters::slice),
          entry("sort", SequenceFilters::sort),
          entry("sum", SequenceFilters::sum),
          entry("unique", SequenceFilters::unique));

  private SequenceFilters() {}

  /// All items, charged for one by one.
  private static List<Object> all(Object input, Budget budget) {
    var items = new ArrayList<Object>();
    Types.iterate(input)
        .forEachRemaining(item -> {
          budget.items(1);
          items.add(item);
        });
    return items;
  }

  private static Object list(Object input, Arguments arguments, Interpreter interpreter) {
    arguments.bind();
    return all(input, interpreter.budget());
  }

  private static Object length(Object input, Arguments arguments, Interpreter interpreter) {
    arguments.bind();
    var text = Types.text(input);
    interpreter.budget().scan(text == null ? 0 : text.length());
    int size = Types.size(input);
    if (size < 0) {
      throw new Failure("a value of type " + Types.name(input) + " has no length");
    }
    return (long) size;
  }

  private static Object first(Object input, Arguments arguments, Interpreter interpreter) {
    arguments.bind();
    var items = Types.iterate(input);
    return items.hasNext() ? items.next() : Value.Undefined.NOTHING;
  }

  private static Object last(Object input, Arguments arguments, Interpreter interpreter) {
    arguments.bind();
    if (input instanceof Generator) {
      throw new Failure("a generator has no last item: make it a list first");
    }
    var items = all(input, interpreter.budget());
    return items.isEmpty() ? Value.Undefined.NOTHING : items.getLast();
  }

  private static Object items(Object input, Arguments arguments, Interpreter interpreter) {
    arguments.bind();
    return switch (input) {
      case Value.Undefined _ -> new Generator(Collections.emptyIterator());
      case Dict dict -> {
        interpreter.budget().items(dict.size());
        yield new Generator(dict.items().iterator());
      }
      default -> throw Types.mismatch("a dict", input);
    };
  }

  private static Object join(Object input, Arguments arguments, Interpreter interpreter) {
    var bound = arguments.bind("d", "attribute");
    var separator = PythonText.str(bound.or(0, ""));
    var getter = bound.orNone(1) == null ? null : AttributePath.of(bound.required(1));
    var joined = new StringBuilder();
    boolean first = true;
    for (var items = Types.iterate(input); items.hasNext(); first = false) {
      var item = items.next();
      var text = PythonText.str(getter == null ? item : getter.get(item, interpreter.budget()));
      joined.append(first ? "" : separator).append(text);
      interpreter.budget().text(joined.length(), (long) separator.length() + text.length() + 1);
    }
    return joined.toString();
  }

  private static Object reverse(Object input, Arguments arguments, Interpreter interpreter) {
    arguments.bind();
    return switch (input) {
      case String text -> interpreter.budget().made(reversed(text));
      case Value.Markup markup -> new Value.Markup(reversed(markup.text()));
      default -> {
        var items = all(input, interpreter.budget());
        Collections.reverse(items);
        yield new Generator(items.iterator());
      }
    };
  }

  private static String reversed(String text) {
    return new StringBuilder(text).reverse().toString(); // keeps surrogates in order
  }

  /// Rows of `linecount` items, the last one filled up if there is something to fill it with.
  private static Object batch(Object input, Arguments arguments, Interpreter interpreter) {
    var bound = arguments.bind("linecount", "fill_with");
    bound.required(0);
    int size = Math.max(1, bound.integer(0, 1));
    var items = all(input, interpreter.budget());
    var rows = new ArrayList<Object>();
    for (int from = 0; from < items.size(); from += size) {
      var row = new ArrayList<>(items.subList(from, Math.min(items.size(), from + size)));
      var fill = bound.orNone(1);
      if (fill != null) {
        interpreter.budget().items(size);
        row.addAll(Collections.nCopies(size - row.size(), fill));
      }
      rows.add(row);
    }
    return new Generator(rows.iterator());
  }

  /// So many columns, as even as can be.
  private static Object slice(Object input, Arguments arguments, Interpreter interpreter) {
    var bound = arguments.bind("slices", "fill_with");
    bound.required(0);
    int slices = bound.integer(0, 1);
    if (slices < 1) {
      throw new Failure("'slice' needs one column or more");
    }
    interpreter.budget().items(slices);
    var items = all(input, interpreter.budget());
    int each = items.size() / slices;
    int longer = items.size() % slices;
    var columns = new ArrayList<Object>();
    for (int i = 0, from = 0; i < slices; i++) {
      int end = from + each + (i < longer ? 1 : 0);
      var column = new ArrayList<>(items.subList(from, end));
      var fill = bound.orNone(1);
      if (fill != null && i >= longer) {
        column.add(fill);
      }
      columns.add(column);
      from = end;
    }
    return new Generator(columns.iterator());
  }

  private static Object sort(Object input, Arguments arguments, Interpreter interpreter) {
    var bound = arguments.bind("reverse", "case_sensitive", "attribute");
    var key = SortKey.ofSeveral(bound.or(2, Value.None.NONE), bound.truth(1, false));
    return sorted(
        all(input, interpreter.budget()), key, bound.truth(0, false), interpreter.budget());
  }

  private static Object dictSort(Object input, Arguments arguments, Interpreter interpreter) {
    var bound = arguments.bind("case_sensitive", "by", "reverse");
    if (!(input instanceof Dict dict)) {
      throw Types.mismatch("a dict", input);
    }
    long by =
        switch (bound.text(1, "key")) {
          case "key" -> 0;
          case "value" -> 1;
          default -> throw new Failure("'dictsort' sorts by 'key' or by 'value'");
        };
    interpreter.budget().items(dict.size());
    var key = SortKey.of(by, bound.truth(0, false));
    return sorted(dict.items(), key, bound.truth(2, false), interpreter.budget());
  }

  private static List<Object> sorted(
      List<Object> items, SortKey key, boolean reverse, Budget budget) {
    Comparator<Object> order =
        (a, b) -> Comparisons.compare(key.of(a, budget), key.of(b, budget), budget);
    items.sort(reverse ? order.reversed() : order);
    return items;
  }

  private static Object extreme(Object input, Arguments arguments, int sign, Budget budget) {
    var bound = arguments.bind("case_sensitive", "attribute");
    var key = SortKey.of(bound.or(1, Value.None.NONE), bound.truth(0, false));
    Object found = null;
    for (var items = Types.iterate(input); items.hasNext(); ) {
      var item = items.next();
      if (found == null
          || Comparisons.compare(key.of(item, budget), key.of(found, budget), budget) * sign > 0) {
        found = item;
      }
    }
    return found == null ? Value.Undefined.NOTHING : found;
  }

  private static Object sum(Object input, Arguments arguments, Interpreter interpreter) {
    var bound = arguments.bind("attribute", "start");
    var getter = bound.orNone(0) == null ? null : AttributePath.of(bound.required(0));
    var sum = bound.or(1, 0L);
    if (sum instanceof String) {
      throw new Failure("'sum' does not join strings");
    }
    for (var items = Types.iterate(input); items.hasNext(); ) {
      var item = items.next();
      sum =
          Operators.apply(
              Operator.ADD,
              sum,
              getter == null ? item : getter.get(item, interpreter.budget()),
              interpreter.budget());
    }
    return sum;
  }

  private static Object unique(Object input, Arguments arguments, Interpreter interpreter) {
    var bound = arguments.bind("case_sensitive", "attribute");
    var key = SortKey.of(bound.or(1, Value.None.NONE), bound.truth(0, false));
    var seen = new Dict();
    return Generator.over(
        input,
        Lazy.filter(
            Types.iterate(input),
            item -> {
              interpreter.budget().items(1);
              var by = key.of(item, interpreter.budget());
              boolean first = !seen.contains(by);
              seen.put(by, true);
              return first;
            }));
  }
}
