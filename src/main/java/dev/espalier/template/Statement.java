package dev.espalier.template;

import dev.espalier.template.Expression.CallArguments;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a template does. Each knows its place in the source, for errors.
sealed interface Statement {
  Position at();

  record Text(Position at, String text) implements Statement {}

  record Print(Position at, Expression value) implements Statement {}

  /// @param otherwise what follows `else`, or an `elif` by itself
  record If(Position at, Expression test, List<Statement> body, List<Statement> otherwise)
      implements Statement {}

  /// @param filter the `if` of the loop
  record For(
      Position at,
      Target target,
      Expression items,
      @Nullable Expression filter,
      boolean recursive,
      Block body,
      Block otherwise)
      implements Statement {}

  record Set(Position at, Target target, Expression value) implements Statement {}

  record SetBlock(Position at, Target target, List<Applied> filters, Block body)
      implements Statement {}

  record MacroDefinition(Position at, String name, Signature signature, Block body)
      implements Statement {}

  /// `{% call(parameters) macro(arguments) %}`: the body is the macro's `caller`.
  record CallBlock(Position at, Expression.Call call, Signature signature, Block body)
      implements Statement {}

  record FilterBlock(Position at, List<Applied> filters, Block body) implements Statement {}

  record With(Position at, List<Binding> bindings, Block body) implements Statement {}

  /// `{% generation %}`, by which a trainer finds the model's own words: here just a scope.
  record Generation(Position at, Block body) implements Statement {}

  /// Statements with variables of their own.
  ///
  /// @param unset the variables that are undefined at its start, whatever is around it
  record Block(List<Statement> statements, java.util.Set<String> unset) {
    static final Block EMPTY = new Block(List.of(), java.util.Set.of());
  }

  record Break(Position at) implements Statement {}

  record Continue(Position at) implements Statement {}

  record Binding(Target target, Expression value) {}

  /// One filter of a block.
  record Applied(Position at, String name, @Nullable Filter filter, CallArguments arguments) {}

  /// @param uses which of the special names `caller`, `varargs` and `kwargs` the body mentions
  record Signature(List<Parameter> parameters, java.util.Set<String> uses) {}

  record Parameter(String name, @Nullable Expression fallback) {}

  /// What can be assigned to.
  sealed interface Target {
    Position at();

    /// The variables that are assigned to.
    List<String> names();

    record Variable(Position at, String name) implements Target {
      @Override
      public List<String> names() {
        return List.of(name);
      }
    }

    record Unpacked(Position at, List<Target> targets) implements Target {
      @Override
      public List<String> names() {
        return targets.stream().flatMap(target -> target.names().stream()).toList();
      }
    }

    /// `namespace.name`.
    record Field(Position at, String namespace, String name) implements Target {
      @Override
      public List<String> names() {
        return List.of();
      }
    }
  }
}
