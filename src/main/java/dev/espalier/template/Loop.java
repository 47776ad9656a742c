package dev.espalier.template;

import java.util.ArrayList;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/// A `for` that is running: the items yet to come, and what templates call `loop`.
///
/// Items are drawn one by one, at most one ahead, because the `if` of a loop may depend on what the
/// body of the step before has set.
final class Loop implements Value {
  private final int depth;
  private final Callable recursion;
  private Iterator<Object> items;
  private @Nullable Object before;
  private @Nullable Object current;
  private @Nullable Object ahead;
  private @Nullable Object changing;
  private int index = -1;
  private int size;

  /// @param size how many items there are, or -1 if only walking them tells
  /// @param recursion what `loop(items)` does
  Loop(Iterator<Object> items, int size, int depth, Callable recursion) {
    this.items = items;
    this.size = size;
    this.depth = depth;
    this.recursion = recursion;
  }

  /// The next item, or null after the last.
  @Nullable Object next() {
    var item = peek();
    if (item != null) {
      before = current;
      current = item;
      ahead = null;
      index++;
    }
    return item;
  }

  private @Nullable Object peek() {
    if (ahead == null && items.hasNext()) {
      ahead = items.next();
    }
    return ahead;
  }

  Callable recursion() {
    return recursion;
  }

  int size() {
    if (size < 0) {
      var rest = new ArrayList<Object>();
      items.forEachRemaining(rest::add);
      items = rest.iterator();
      size = rest.size() + index + 1 + (ahead == null ? 0 : 1);
    }
    return size;
  }

  /// What `loop.name` is, or null if there is no such thing.
  @Nullable Object attribute(String name) {
    return switch (name) {
      case "index" -> index + 1L;
      case "index0" -> (long) index;
      case "revindex" -> (long) size() - index;
      case "revindex0" -> (long) size() - index - 1;
      case "first" -> index == 0;
      case "last" -> peek() == null;
      case "length" -> (long) size();
      case "depth" -> depth + 1L;
      case "depth0" -> (long) depth;
      case "previtem" -> before == null ? new Undefined("loop", "previtem") : before;
      case "nextitem" -> {
        var next = peek();
        yield next == null ? new Undefined("loop", "nextitem") : next;
      }
      case "cycle" -> (Callable) (arguments, _) -> cycle(arguments);
      case "changed" -> (Callable) (arguments, interpreter) -> changed(arguments, interpreter);
      default -> null;
    };
  }

  private Object cycle(Arguments arguments) {
    var values = arguments.positional();
    if (values.isEmpty() || !arguments.named().isEmpty()) {
      throw new Failure("loop.cycle needs the values to choose from");
    }
    return values.get(index % values.size());
  }

  private Object changed(Arguments arguments, Interpreter interpreter) {
    var now = new Tuple(arguments.positional());
    boolean changed = changing == null || !Comparisons.equal(changing, now, interpreter.budget());
    changing = now;
    return changed;
  }
}
