package dev.espalier.template;

import dev.espalier.template.Expression.And;
import dev.espalier.template.Expression.Binary;
import dev.espalier.template.Expression.Comparator;
import dev.espalier.template.Expression.Comparison;
import dev.espalier.template.Expression.Concatenation;
import dev.espalier.template.Expression.Conditional;
import dev.espalier.template.Expression.Link;
import dev.espalier.template.Expression.Not;
import dev.espalier.template.Expression.Operator;
import dev.espalier.template.Expression.Or;
import dev.espalier.template.Expression.Signed;
import dev.espalier.template.Expression.TupleOf;
import dev.espalier.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The operators, from the loosest to the tightest; each method is one level of precedence.
final class ExpressionParser {
  /// How deep brackets and operators may nest: more is an attack, and would exhaust the stack.
  private static final int MAX_DEPTH = 100;

  private final TokenStream tokens;
  private final OperandParser operands;
  private Names names;
  private final List<TemplateException> unknown = new ArrayList<>();
  private int depth;

  ExpressionParser(TokenStream tokens, Names names) {
    this.names = names;
    this.tokens = tokens;
    this.operands = new OperandParser(tokens, this);
  }

  /// A whole expression, or several with commas between, which make a tuple.
  Expression tuple() {
    return tuple(this::expression);
  }

  /// The same without `a if b else c`, so that an `if` may follow.
  Expression tupleBeforeIf() {
    return tuple(this::or);
  }

  private Expression tuple(Supplier<Expression> item) {
    var at = tokens.current().at();
    var first = item.get();
    if (!tokens.atOperator(",")) {
      return first;
    }
    var items = new ArrayList<>(List.of(first));
    while (tokens.skipOperator(",") && !atTupleEnd()) {
      items.add(item.get());
    }
    return new TupleOf(at, List.copyOf(items));
  }

  private boolean atTupleEnd() {
    return tokens.at(Kind.VARIABLE_END)
        || tokens.at(Kind.BLOCK_END)
        || tokens.atOperator(")")
        || tokens.atName("recursive");
  }

  /// The filters written after `{% filter` or `{% set name |`.
  List<Statement.Applied> filters() {
    return operands.filters();
  }

  Expression expressionOrTuple() {
    return tuple();
  }

  Expression expression() {
    return nested(this::conditional);
  }

  private Expression conditional() {
    int mark = unknown.size();
    var result = or();
    while (tokens.atName("if")) {
      var at = tokens.take().at();
      var test = or();
      result = new Conditional(at, test, result, tokens.skipName("else") ? expression() : null);
      forgiveUnknown(mark);
    }
    return result;
  }

  private Expression or() {
    var left = and();
    while (tokens.atName("or")) {
      var at = tokens.take().at();
      left = new Or(at, left, and());
    }
    return left;
  }

  private Expression and() {
    var left = not();
    while (tokens.atName("and")) {
      var at = tokens.take().at();
      left = new And(at, left, not());
    }
    return left;
  }

  private Expression not() {
    if (!tokens.atName("not")) {
      return comparison();
    }
    var at = tokens.take().at();
    return new Not(at, nested(this::not));
  }

  private Expression comparison() {
    var at = tokens.current().at();
    var first = sum();
    var links = new ArrayList<Link>();
    for (var comparator = comparator(); comparator != null; comparator = comparator()) {
      links.add(new Link(comparator, sum()));
    }
    return links.isEmpty() ? first : new Comparison(at, first, List.copyOf(links));
  }

  private @Nullable Comparator comparator() {
    if (tokens.skipName("in")) {
      return Comparator.IN;
    }
    if (tokens.atName("not") && tokens.following().isName("in")) {
      tokens.take();
      tokens.take();
      return Comparator.NOT_IN;
    }
    for (var comparator : Comparator.values()) {
      if (tokens.skipOperator(comparator.symbol)) {
        return comparator;
      }
    }
    return null;
  }

  private Expression sum() {
    return leftToRight(this::concatenation, Operator.ADD, Operator.SUBTRACT);
  }

  private Expression concatenation() {
    var at = tokens.current().at();
    var first = product();
    if (!tokens.atOperator("~")) {
      return first;
    }
    var parts = new ArrayList<>(List.of(first));
    while (tokens.skipOperator("~")) {
      parts.add(product());
    }
    return new Concatenation(at, List.copyOf(parts));
  }

  private Expression product() {
    return leftToRight(
        this::power, Operator.MULTIPLY, Operator.DIVIDE, Operator.FLOOR_DIVIDE, Operator.MODULO);
  }

  /// From the left, as Jinja has it and Python does not.
  private Expression power() {
    return leftToRight(this::filtered, Operator.POWER);
  }

  private Expression leftToRight(Supplier<Expression> operand, Operator... operators) {
    var left = operand.get();
    while (true) {
      var operator = oneOf(operators);
      if (operator == null) {
        return left;
      }
      var at = tokens.take().at();
      left = new Binary(at, operator, left, operand.get());
    }
  }

  private @Nullable Operator oneOf(Operator... operators) {
    for (var operator : operators) {
      if (tokens.atOperator(operator.symbol)) {
        return operator;
      }
    }
    return null;
  }

  private Expression filtered() {
    return operands.filtered(signed());
  }

  private Expression signed() {
    if (!tokens.atOperator("-") && !tokens.atOperator("+")) {
      return operands.operand();
    }
    var sign = tokens.take();
    return operands.postfix(new Signed(sign.at(), sign.isOperator("-"), nested(this::signed)));
  }

  private Expression nested(Supplier<Expression> inner) {
    if (++depth > MAX_DEPTH) {
      throw tokens.current().at().error("expressions nest more deeply than " + MAX_DEPTH);
    }
    var result = inner.get();
    depth--;
    return result;
  }

  /// Notes a filter or a test that nothing is known of.
  void unknown(TemplateException error) {
    unknown.add(error);
  }

  /// How many such are noted; a mark for the two methods below.
  int unknown() {
    return unknown.size();
  }

  /// What has been noted since is an error only where it is reached: so Jinja treats what depends
  /// on an `if`.
  void forgiveUnknown(int mark) {
    unknown.subList(mark, unknown.size()).clear();
  }

  void refuseUnknown(int mark) {
    if (unknown.size() > mark) {
      throw unknown.get(mark);
    }
  }

  /// The names of the block that is being read.
  Names names() {
    return names;
  }

  /// Enters a block; returns the names of the one it was in.
  Names enter(Names block) {
    var before = names;
    names = block;
    return before;
  }
}
