package dev.espalier.template;

import dev.espalier.template.Expression.Attribute;
import dev.espalier.template.Expression.Call;
import dev.espalier.template.Expression.CallArguments;
import dev.espalier.template.Expression.DictOf;
import dev.espalier.template.Expression.Entry;
import dev.espalier.template.Expression.Filtered;
import dev.espalier.template.Expression.Item;
import dev.espalier.template.Expression.ListOf;
import dev.espalier.template.Expression.Literal;
import dev.espalier.template.Expression.Name;
import dev.espalier.template.Expression.Named;
import dev.espalier.template.Expression.Not;
import dev.espalier.template.Expression.Slice;
import dev.espalier.template.Expression.Tested;
import dev.espalier.template.Expression.TupleOf;
import dev.espalier.template.Statement.Applied;
import dev.espalier.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What operators stand between: literals, names, brackets, and what follows them (attributes,
/// items, calls, filters, tests).
final class OperandParser {
  private final TokenStream tokens;
  private final ExpressionParser expressions;

  OperandParser(TokenStream tokens, ExpressionParser expressions) {
    this.tokens = tokens;
    this.expressions = expressions;
  }

  /// A literal, a name or a bracket, with its attributes, items and calls.
  Expression operand() {
    return postfix(primary());
  }

  private Expression primary() {
    var token = tokens.current();
    return switch (token.kind()) {
      case NAME -> name(tokens.take());
      case STRING -> string();
      case INTEGER -> new Literal(token.at(), Numbers.parseLiteral(tokens.take().text()));
      case FLOAT -> new Literal(token.at(), Double.parseDouble(tokens.take().text()));
      case OPERATOR -> bracket(token);
      case DATA, VARIABLE_BEGIN, VARIABLE_END, BLOCK_BEGIN, BLOCK_END, END ->
          throw tokens.unexpected("an expression");
    };
  }

  private Expression name(Token token) {
    return switch (token.text()) {
      case "true", "True" -> new Literal(token.at(), true);
      case "false", "False" -> new Literal(token.at(), false);
      case "none", "None" -> new Literal(token.at(), Value.None.NONE);
      default -> {
        requireIdentifier(token);
        expressions.names().reads(token.text());
        yield new Name(token.at(), token.text());
      }
    };
  }

  private static void requireIdentifier(Token token) {
    if (Character.isDigit(token.text().codePointAt(0))) {
      throw token.at().error("'" + token.text() + "' is not a name");
    }
  }

  private Expression string() {
    var first = tokens.take();
    var text = new StringBuilder(first.text());
    while (tokens.at(Kind.STRING)) {
      text.append(tokens.take().text());
    }
    return new Literal(first.at(), text.toString());
  }

  private Expression bracket(Token token) {
    return switch (token.text()) {
      case "(" -> parenthesis(tokens.take().at());
      case "[" -> new ListOf(tokens.take().at(), items("]"));
      case "{" -> dict(tokens.take().at());
      default -> throw tokens.unexpected("an expression");
    };
  }

  private Expression parenthesis(Position at) {
    if (tokens.skipOperator(")")) {
      return new TupleOf(at, List.of());
    }
    var inner = expressions.expressionOrTuple();
    tokens.expectOperator(")");
    return inner;
  }

  private List<Expression> items(String closing) {
    var items = new ArrayList<Expression>();
    while (!tokens.skipOperator(closing)) {
      separate(items.isEmpty());
      if (!tokens.atOperator(closing)) {
        items.add(expressions.expression());
      }
    }
    return List.copyOf(items);
  }

  private Expression dict(Position at) {
    var entries = new ArrayList<Entry>();
    while (!tokens.skipOperator("}")) {
      separate(entries.isEmpty());
      if (!tokens.atOperator("}")) {
        var key = expressions.expression();
        tokens.expectOperator(":");
        entries.add(new Entry(key, expressions.expression()));
      }
    }
    return new DictOf(at, List.copyOf(entries));
  }

  private void separate(boolean first) {
    if (!first) {
      tokens.expectOperator(",");
    }
  }

  Expression postfix(Expression start) {
    var result = start;
    while (tokens.at(Kind.OPERATOR)) {
      switch (tokens.current().text()) {
        case "." -> result = attribute(result);
        case "[" -> result = subscript(result);
        case "(" -> result = new Call(result.at(), result, arguments());
        default -> {
          return result;
        }
      }
    }
    return result;
  }

  private Expression attribute(Expression owner) {
    tokens.expectOperator(".");
    var token = tokens.current();
    if (token.kind() == Kind.INTEGER) {
      tokens.take();
      var index = new Literal(token.at(), Numbers.parseLiteral(token.text()));
      return new Item(token.at(), owner, index);
    }
    tokens.expect(Kind.NAME, "the name of an attribute");
    return new Attribute(token.at(), owner, token.text());
  }

  private Expression subscript(Expression owner) {
    var at = tokens.expectOperator("[").at();
    var key = tokens.atOperator(":") ? null : expressions.expression();
    if (tokens.atOperator(":")) {
      return slice(at, owner, key);
    }
    if (key == null) {
      throw tokens.unexpected("an expression");
    }
    if (!tokens.atOperator(",")) {
      tokens.expectOperator("]");
      return new Item(at, owner, key);
    }
    var keys = new ArrayList<>(List.of(key));
    tokens.take();
    keys.addAll(items("]"));
    return new Item(at, owner, new TupleOf(at, List.copyOf(keys)));
  }

  private Expression slice(Position at, Expression owner, @Nullable Expression start) {
    tokens.expectOperator(":");
    var stop = sliceBound();
    var step = tokens.skipOperator(":") ? sliceBound() : null;
    tokens.expectOperator("]");
    return new Slice(at, owner, start, stop, step);
  }

  private @Nullable Expression sliceBound() {
    return tokens.atOperator(":") || tokens.atOperator("]") ? null : expressions.expression();
  }

  private CallArguments arguments() {
    tokens.expectOperator("(");
    var positional = new ArrayList<Expression>();
    var named = new ArrayList<Named>();
    Expression morePositional = null;
    Expression moreNamed = null;
    boolean first = true;
    while (!tokens.skipOperator(")")) {
      separate(first);
      if (!first && tokens.skipOperator(")")) {
        break;
      }
      first = false;
      var at = tokens.current().at();
      if (moreNamed != null) {
        throw at.error("nothing may follow '**' arguments");
      }
      if (tokens.skipOperator("*")) {
        if (morePositional != null) {
          throw at.error("a second '*' argument");
        }
        morePositional = expressions.expression();
      } else if (tokens.skipOperator("**")) {
        moreNamed = expressions.expression();
      } else if (tokens.at(Kind.NAME) && tokens.following().isOperator("=")) {
        named.add(named(named));
      } else if (!named.isEmpty() || morePositional != null) {
        throw at.error("a positional argument follows named or '*' arguments");
      } else {
        positional.add(expressions.expression());
      }
    }
    return new CallArguments(
        List.copyOf(positional), List.copyOf(named), morePositional, moreNamed);
  }

  private Named named(List<Named> before) {
    var name = tokens.take();
    if (before.stream().anyMatch(other -> other.name().equals(name.text()))) {
      throw name.at().error("the argument '" + name.text() + "' is given twice");
    }
    tokens.expectOperator("=");
    return new Named(name.text(), expressions.expression());
  }

  /// Filters, tests and calls that follow an operand.
  Expression filtered(Expression start) {
    var result = start;
    while (true) {
      if (tokens.skipOperator("|")) {
        var filter = filter();
        result =
            new Filtered(filter.at(), result, filter.name(), filter.filter(), filter.arguments());
      } else if (tokens.skipName("is")) {
        result = test(result);
      } else if (tokens.atOperator("(")) {
        result = new Call(result.at(), result, arguments());
      } else {
        return result;
      }
    }
  }

  /// One or more filters with `|` between.
  List<Applied> filters() {
    var filters = new ArrayList<Applied>();
    do {
      filters.add(filter());
    } while (tokens.skipOperator("|"));
    return List.copyOf(filters);
  }

  private Applied filter() {
    var token = tokens.expect(Kind.NAME, "the name of a filter");
    var name = dotted(token);
    var filter = Filters.named(name);
    if (filter == null) {
      expressions.unknown(token.at().error(Filters.unknown(name)));
    }
    var arguments = tokens.atOperator("(") ? arguments() : CallArguments.NONE;
    return new Applied(token.at(), name, filter, arguments);
  }

  private Expression test(Expression input) {
    boolean negated = tokens.skipName("not");
    var token = tokens.expect(Kind.NAME, "the name of a test");
    var name = dotted(token);
    var test = Tests.named(name);
    if (test == null) {
      expressions.unknown(token.at().error(Tests.unknown(name)));
    }
    var tested = new Tested(token.at(), input, name, test, testArguments());
    return negated ? new Not(token.at(), tested) : tested;
  }

  /// In brackets, or one operand by itself: `x is divisibleby 3`.
  private CallArguments testArguments() {
    if (tokens.atOperator("(")) {
      return arguments();
    }
    if (tokens.atName("is")) {
      throw tokens.current().at().error("a test cannot follow a test: use 'and'");
    }
    boolean operator = tokens.atName("else") || tokens.atName("or") || tokens.atName("and");
    return operator || !atOperand()
        ? CallArguments.NONE
        : new CallArguments(List.of(operand()), List.of(), null, null);
  }

  private boolean atOperand() {
    return switch (tokens.current().kind()) {
      case NAME, STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> tokens.atOperator("[") || tokens.atOperator("{");
      case DATA, VARIABLE_BEGIN, VARIABLE_END, BLOCK_BEGIN, BLOCK_END, END -> false;
    };
  }

  private String dotted(Token first) {
    var name = new StringBuilder(first.text());
    while (tokens.skipOperator(".")) {
      name.append('.').append(tokens.expect(Kind.NAME, "a name").text());
    }
    return name.toString();
  }
}
