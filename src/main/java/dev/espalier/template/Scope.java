package dev.espalier.template;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The variables of a block, and those of the blocks around it.
final class Scope {
  private final @Nullable Scope outer;
  private @Nullable Map<String, Object> variables;

  /// The variables of the request.
  Scope(Map<String, Object> variables) {
    this.outer = null;
    this.variables = variables;
  }

  /// @param unset the names that are undefined here until they are set
  Scope(Scope outer, Set<String> unset) {
    this.outer = outer;
    for (var name : unset) {
      set(name, new Value.Undefined("", name));
    }
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
