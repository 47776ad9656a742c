package dev.espalier.template;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Iterators that do their work only when drawn from, as Python's generators do.
final class Lazy {
  private Lazy() {}

  static Iterator<Object> map(Iterator<Object> items, Function<Object, Object> change) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return items.hasNext();
      }

      @Override
      public Object next() {
        return change.apply(items.next());
      }
    };
  }

  static Iterator<Object> filter(Iterator<Object> items, Predicate<Object> wanted) {
    return new Iterator<>() {
      private @Nullable Object ahead;

      @Override
      public boolean hasNext() {
        while (ahead == null && items.hasNext()) {
          var item = items.next();
          ahead = wanted.test(item) ? item : null;
        }
        return ahead != null;
      }

      @Override
      public Object next() {
        if (!hasNext() || ahead == null) {
          throw new NoSuchElementException();
        }
        var item = ahead;
        ahead = null;
        return item;
      }
    };
  }
}
