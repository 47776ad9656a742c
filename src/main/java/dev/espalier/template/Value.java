package dev.espalier.template;

import java.util.AbstractList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The values of a template that Java has no type for.
///
/// The others are plain: `Boolean`, `Long`, `BigInteger` (beyond a long), `Double`, `String` and
/// `List` (a list of Python's). Every value is one of these; none is ever null.
sealed interface Value
    permits Dict,
        Loop,
        Value.Callable,
        Value.Generator,
        Value.Markup,
        Value.Namespace,
        Value.None,
        Value.Range,
        Value.Tuple,
        Value.Undefined,
        Value.View {
  enum None implements Value {
    NONE
  }

  /// What a name, an attribute or an item is that does not exist.
  ///
  /// @param owner what kind of value had no such attribute; empty for a variable
  record Undefined(String owner, String name) implements Value {
    static final Undefined NOTHING = new Undefined("", "the value");

    String why() {
      return owner.isEmpty()
          ? "'" + name + "' is undefined"
          : "a value of type " + owner + " has no '" + name + "'";
    }

    Failure failure() {
      return new Failure(why());
    }
  }

  /// Text marked safe for HTML: joined with other text by `+`, it has that escaped.
  record Markup(String text) implements Value {}

  final class Tuple extends AbstractList<Object> implements Value {
    private final List<Object> items;

    Tuple(List<Object> items) {
      this.items = items;
    }

    static Tuple of(Object... items) {
      return new Tuple(List.of(items));
    }

    @Override
    public Object get(int index) {
      return items.get(index);
    }

    @Override
    public int size() {
      return items.size();
    }
  }

  /// `range(start, stop, step)`, whose size Jinja's sandbox limits.
  final class Range extends AbstractList<Object> implements Value {
    static final int MAX_SIZE = 100_000;

    final long start;
    final long stop;
    final long step;
    private final int size;

    Range(long start, long stop, long step) {
      if (step == 0) {
        throw new Failure("the step of a range cannot be zero");
      }
      long limit = Long.MAX_VALUE / 4;
      if (Math.abs(start) > limit || Math.abs(stop) > limit) {
        throw new Failure("the bounds of a range are too large");
      }
      long count = Math.max(0, Math.ceilDiv(stop - start, step));
      if (count > MAX_SIZE) {
        throw new Failure("a range has more than " + MAX_SIZE + " items");
      }
      this.start = start;
      this.stop = stop;
      this.step = step;
      this.size = (int) count;
    }

    @Override
    public Object get(int index) {
      return start + index * step;
    }

    @Override
    public int size() {
      return size;
    }
  }

  /// The keys, values or items of a dict: it can be walked and counted, not indexed.
  record View(String kind, List<Object> items) implements Value {}

  /// What filters such as `map` give: it can be walked once.
  ///
  /// @param depth how many generators it draws from, one through the other
  record Generator(Iterator<Object> items, int depth) implements Value {
    private static final int MAX_DEPTH = 100;

    Generator(Iterator<Object> items) {
      this(items, 0);
    }

    /// What draws its items from those of `input`.
    static Generator over(Object input, Iterator<Object> items) {
      int depth = input instanceof Generator inner ? inner.depth + 1 : 0;
      if (depth > MAX_DEPTH) {
        throw new Failure("filters nest more deeply than " + MAX_DEPTH);
      }
      return new Generator(items, depth);
    }
  }

  /// The one object whose fields a template may set.
  record Namespace(Map<String, Object> fields) implements Value {
    Namespace() {
      this(new LinkedHashMap<>());
    }
  }

  /// A macro, a function or a method.
  @FunctionalInterface
  non-sealed interface Callable extends Value {
    Object call(Arguments arguments, Interpreter interpreter);
  }
}
