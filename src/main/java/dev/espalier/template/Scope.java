package dev.espalier.template;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The variables of a block, and those of the blocks around it.
final class Scope {
  private final @Nullable Scope outer;
  private @Nullable Map<String, Object> variables;

  Scope(@Nullable Scope outer) {
    this.outer = outer;
  }

  @Nullable Object get(String name) {
    for (var scope = this; scope != null; scope = scope.outer) {
      if (scope.variables != null) {
        var value = scope.variables.get(name);
        if (value != null) {
          return value;
        }
      }
    }
    return null;
  }

  /// Sets it here: what a block sets is gone after it.
  void set(String name, Object value) {
    var own = variables;
    if (own == null) {
      own = new HashMap<>();
      variables = own;
    }
    own.put(name, value);
  }
}
