package dev.espalier.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// `value[index]` and `value[start:stop:step]` of texts and lists.
final class Slices {
  private Slices() {}

  /// The item, counted from the end if negative; null beyond either end.
  static @Nullable Object item(Object sequence, long index, Budget budget) {
    var text = Types.text(sequence);
    budget.scan(text == null ? 0 : text.length());
    int size = Types.size(sequence);
    long at = index < 0 ? index + size : index;
    if (at < 0 || at >= size) {
      return null;
    }
    return switch (sequence) {
      case List<?> list -> list.get((int) at);
      case String string -> character(string, (int) at);
      case Value.Markup markup -> new Value.Markup(character(markup.text(), (int) at));
      default -> null;
    };
  }

  private static String character(String text, int index) {
    return Character.toString(text.codePointAt(text.offsetByCodePoints(0, index)));
  }

  static Object slice(
      Object sequence,
      @Nullable Long start,
      @Nullable Long stop,
      @Nullable Long step,
      Budget budget) {
    return switch (sequence) {
      case String text -> text(text, start, stop, step, budget);
      case Value.Markup markup -> new Value.Markup(text(markup.text(), start, stop, step, budget));
      case Value.Tuple tuple -> new Value.Tuple(items(tuple, start, stop, step, budget));
      case Value.Range range -> range(range, Bounds.of(range.size(), start, stop, step));
      case List<?> list -> items(list, start, stop, step, budget);
      case Value.Undefined undefined -> throw undefined.failure();
      default -> throw new Failure("a value of type " + Types.name(sequence) + " has no slices");
    };
  }

  private static Value.Range range(Value.Range range, Bounds bounds) {
    return new Value.Range(
        range.start + bounds.start() * range.step,
        range.start + bounds.stop() * range.step,
        range.step * bounds.step());
  }

  private static List<Object> items(
      List<?> list, @Nullable Long start, @Nullable Long stop, @Nullable Long step, Budget budget) {
    var bounds = Bounds.of(list.size(), start, stop, step);
    budget.items(bounds.count());
    var items = new ArrayList<Object>(bounds.count());
    for (int i = 0; i < bounds.count(); i++) {
      items.add(list.get(bounds.at(i)));
    }
    return items;
  }

  private static String text(
      String text, @Nullable Long start, @Nullable Long stop, @Nullable Long step, Budget budget) {
    budget.scan(text.length());
    var bounds = Bounds.of(Types.size(text), start, stop, step);
    budget.text(bounds.count());
    if (bounds.step() == 1) {
      int from = text.offsetByCodePoints(0, Math.min(bounds.start(), Types.size(text)));
      return text.substring(from, text.offsetByCodePoints(from, bounds.count()));
    }
    int[] characters = text.codePoints().toArray();
    var sliced = new StringBuilder(bounds.count());
    for (int i = 0; i < bounds.count(); i++) {
      sliced.appendCodePoint(characters[bounds.at(i)]);
    }
    return sliced.toString();
  }

  /// Where a slice starts and ends, how far apart its items are and how many it has.
  private record Bounds(int start, int stop, long step, int count) {
    static Bounds of(
        int size,
        @Nullable Long startOrNull,
        @Nullable Long stopOrNull,
        @Nullable Long stepOrNull) {
      long step = stepOrNull == null ? 1 : stepOrNull;
      if (step == 0) {
        throw new Failure("the step of a slice cannot be zero");
      }
      long low = step > 0 ? 0 : -1;
      long high = step > 0 ? size : size - 1;
      long start =
          startOrNull == null ? (step > 0 ? low : high) : clamp(startOrNull, size, low, high);
      long stop = stopOrNull == null ? (step > 0 ? high : low) : clamp(stopOrNull, size, low, high);
      long count = Math.max(0, Math.ceilDiv(stop - start, step));
      return new Bounds((int) start, (int) stop, step, (int) count);
    }

    private static long clamp(long bound, int size, long low, long high) {
      return Math.clamp(bound < 0 ? bound + size : bound, low, high);
    }

    int at(int index) {
      return (int) (start + index * step);
    }
  }
}
