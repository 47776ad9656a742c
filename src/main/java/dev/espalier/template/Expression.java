package dev.espalier.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a template computes. Each knows its place in the source, for errors.
sealed interface Expression {
  Position at();

  record Literal(Position at, Object value) implements Expression {}

  record Name(Position at, String name) implements Expression {}

  /// `owner.name`: Python's attribute first, then the key of that name.
  record Attribute(Position at, Expression owner, String name) implements Expression {}

  /// `owner[key]`: the key first, then Python's attribute of that name.
  record Item(Position at, Expression owner, Expression key) implements Expression {}

  record Slice(
      Position at,
      Expression owner,
      @Nullable Expression start,
      @Nullable Expression stop,
      @Nullable Expression step)
      implements Expression {}

  record Call(Position at, Expression callee, CallArguments arguments) implements Expression {}

  /// @param filter null if nothing has that name, which is an error once it is reached
  record Filtered(
      Position at, Expression input, String name, @Nullable Filter filter, CallArguments arguments)
      implements Expression {}

  /// @param test null if nothing has that name, which is an error once it is reached
  record Tested(
      Position at, Expression input, String name, @Nullable Test test, CallArguments arguments)
      implements Expression {}

  record Not(Position at, Expression operand) implements Expression {}

  record Signed(Position at, boolean negative, Expression operand) implements Expression {}

  record And(Position at, Expression left, Expression right) implements Expression {}

  record Or(Position at, Expression left, Expression right) implements Expression {}

  record Binary(Position at, Operator operator, Expression left, Expression right)
      implements Expression {}

  /// `first < a <= b`: every link must hold.
  record Comparison(Position at, Expression first, List<Link> links) implements Expression {}

  record Link(Comparator comparator, Expression right) {}

  /// `a ~ b ~ c`: the texts of all, joined.
  record Concatenation(Position at, List<Expression> parts) implements Expression {}

  /// `chosen if test else otherwise`; without an `else` the result may be undefined.
  record Conditional(
      Position at, Expression test, Expression chosen, @Nullable Expression otherwise)
      implements Expression {}

  record ListOf(Position at, List<Expression> items) implements Expression {}

  record TupleOf(Position at, List<Expression> items) implements Expression {}

  record DictOf(Position at, List<Entry> entries) implements Expression {}

  record Entry(Expression key, Expression value) {}

  /// What stands between the brackets of a call: `f(a, b=c, *d, **e)`.
  record CallArguments(
      List<Expression> positional,
      List<Named> named,
      @Nullable Expression morePositional,
      @Nullable Expression moreNamed) {
    static final CallArguments NONE = new CallArguments(List.of(), List.of(), null, null);

    boolean isEmpty() {
      return positional.isEmpty() && named.isEmpty() && morePositional == null && moreNamed == null;
    }
  }

  record Named(String name, Expression value) {}

  /// Arithmetic, as Python writes it.
  enum Operator {
    ADD("+"),
    SUBTRACT("-"),
    MULTIPLY("*"),
    DIVIDE("/"),
    FLOOR_DIVIDE("//"),
    MODULO("%"),
    POWER("**");

    final String symbol;

    Operator(String symbol) {
      this.symbol = symbol;
    }
  }

  enum Comparator {
    EQUAL("=="),
    NOT_EQUAL("!="),
    LESS("<"),
    LESS_OR_EQUAL("<="),
    GREATER(">"),
    GREATER_OR_EQUAL(">="),
    IN("in"),
    NOT_IN("not in");

    final String symbol;

    Comparator(String symbol) {
      this.symbol = symbol;
    }
  }
}
