package dev.espalier.tools;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// What became of code that was executed.
public sealed interface Outcome {
  /// What it printed.
  String output();

  /// It ran to its end.
  ///
  /// @param value null if there is none in JSON: `undefined`, a function, NaN, a BigInt, a cycle
  record Finished(String output, @Nullable JsonNode value) implements Outcome {}

  /// It was stopped, or threw.
  ///
  /// @param output what it had printed by then
  record Failed(Kind kind, String message, String output) implements Outcome {}

  /// Why code failed.
  enum Kind {
    /// It took longer than it may.
    TIME,
    /// It asked for more memory than it may have.
    MEMORY,
    /// It printed or returned more than it may.
    OUTPUT,
    /// It is wrong: a syntax error, an exception, too deep a recursion.
    ERROR
  }
}
