package dev.espalier.template;

import dev.espalier.template.Statement.Binding;
import dev.espalier.template.Statement.Block;
import dev.espalier.template.Statement.Parameter;
import dev.espalier.template.Statement.Signature;
import dev.espalier.template.Statement.Target;
import dev.espalier.template.Token.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reads text, `{{ }}` and `{% %}` tags into statements.
final class StatementParser {
  /// How deep blocks may nest: more is an attack, and would exhaust the stack.
  private static final int MAX_DEPTH = 100;

  private static final Set<String> OTHER_FILES =
      Set.of("block", "extends", "include", "import", "from");

  private final TokenStream tokens;
  private final ExpressionParser expressions;
  private final TargetParser targets;
  private final List<Names> blocks = new ArrayList<>();
  private int depth;
  private int loops;

  private StatementParser(TokenStream tokens) {
    this.tokens = tokens;
    this.expressions = new ExpressionParser(tokens, block(null));
    this.targets = new TargetParser(tokens);
  }

  /// The statements of a whole template.
  static Block parse(String source) {
    var parser = new StatementParser(new TokenStream(Lexer.tokens(source)));
    var statements = parser.until(null, Set.of(), false);
    parser.blocks.forEach(Names::settle);
    return new Block(statements, parser.expressions.names().unset());
  }

  private Names block(@Nullable Names outer) {
    var names = new Names(outer);
    blocks.add(names);
    return names;
  }

  /// The names of a block inside the current one.
  private Names inner() {
    return block(expressions.names());
  }

  /// Statements up to one of the tags `ends`, whose name is left as the current token.
  ///
  /// @param opening what these statements belong to; null for the template itself
  /// @param lenient whether unknown filters in them are errors only once reached
  private List<Statement> until(@Nullable Token opening, Set<String> ends, boolean lenient) {
    if (++depth > MAX_DEPTH) {
      throw tokens.current().at().error("blocks nest more deeply than " + MAX_DEPTH);
    }
    var statements = new ArrayList<Statement>();
    while (!tokens.at(Kind.END)) {
      int mark = expressions.unknown();
      if (tokens.at(Kind.BLOCK_BEGIN) && ends.contains(tokens.following().text())) {
        tokens.take();
        depth--;
        return List.copyOf(statements);
      }
      statements.add(piece());
      if (lenient) {
        expressions.forgiveUnknown(mark);
      } else {
        expressions.refuseUnknown(mark);
      }
    }
    if (opening != null) {
      throw opening.at().error("'" + opening.text() + "' is not closed");
    }
    return List.copyOf(statements);
  }

  private Statement piece() {
    var token = tokens.take();
    return switch (token.kind()) {
      case DATA -> new Statement.Text(token.at(), token.text());
      case VARIABLE_BEGIN -> {
        var print = print();
        tokens.expect(Kind.VARIABLE_END, "'}}'");
        yield print;
      }
      case BLOCK_BEGIN -> {
        var statement = statement(tokens.expect(Kind.NAME, "the name of a tag"));
        tokens.expect(Kind.BLOCK_END, "'%}'");
        yield statement;
      }
      case VARIABLE_END, BLOCK_END, NAME, STRING, INTEGER, FLOAT, OPERATOR, END ->
          throw token.at().error("unexpected " + token.described());
    };
  }

  private Statement print() {
    var value = expressions.tuple();
    return new Statement.Print(value.at(), value);
  }

  private Statement statement(Token tag) {
    return switch (tag.text()) {
      case "if" -> condition(tag);
      case "for" -> loop(tag);
      case "set" -> set(tag);
      case "macro" -> macro(tag);
      case "call" -> callBlock(tag);
      case "filter" ->
          new Statement.FilterBlock(
              tag.at(), expressions.filters(), block(tag, "endfilter", inner()));
      case "with" -> with(tag);
      case "generation" ->
          new Statement.Generation(tag.at(), functionBody(tag, "endgeneration", inner()));
      case "print" -> print();
      case "break" -> jump(tag, new Statement.Break(tag.at()));
      case "continue" -> jump(tag, new Statement.Continue(tag.at()));
      default -> throw tag.at().error(unknown(tag.text()));
    };
  }

  private static String unknown(String tag) {
    if (OTHER_FILES.contains(tag)) {
      return "a chat template stands alone: it cannot use '" + tag + "'";
    }
    return tag.startsWith("end") || tag.startsWith("el")
        ? "'" + tag + "' closes nothing here"
        : "unknown tag '" + tag + "'";
  }

  private Statement jump(Token tag, Statement statement) {
    if (loops == 0) {
      throw tag.at().error("'" + tag.text() + "' outside a loop");
    }
    return statement;
  }

  private Statement condition(Token tag) {
    int mark = expressions.unknown();
    var test = expressions.tupleBeforeIf();
    expressions.forgiveUnknown(mark);
    endOfTag();
    expressions.names().enterBranch();
    var condition = branches(tag, test);
    expressions.names().leaveBranch();
    return condition;
  }

  private Statement branches(Token tag, Expression test) {
    var body = until(tag, Set.of("elif", "else", "endif"), true);
    var next = tokens.take();
    return switch (next.text()) {
      case "elif" -> new Statement.If(tag.at(), test, body, List.of(elif(next)));
      case "else" -> {
        endOfTag();
        var otherwise = until(tag, Set.of("endif"), true);
        tokens.take();
        yield new Statement.If(tag.at(), test, body, otherwise);
      }
      default -> new Statement.If(tag.at(), test, body, List.of());
    };
  }

  private Statement elif(Token tag) {
    if (++depth > MAX_DEPTH) {
      throw tag.at().error("an 'if' nests more than " + MAX_DEPTH + " branches deep");
    }
    var condition = condition(tag);
    depth--;
    return condition;
  }

  private Statement loop(Token tag) {
    var target = targets.target();
    tokens.expectName("in");
    var items = expressions.tupleBeforeIf();
    var filter = tokens.skipName("if") ? loopFilter(target) : null;
    boolean recursive = tokens.skipName("recursive");
    endOfTag();
    loops++;
    var inner = inner();
    inner.begins("loop");
    target.names().forEach(inner::begins);
    var body = within(inner, tag, "else", "endfor");
    loops--;
    var otherwise = Block.EMPTY;
    if (tokens.take().isName("else")) {
      endOfTag();
      otherwise = within(inner(), tag, "endfor");
      tokens.take();
    }
    return new Statement.For(tag.at(), target, items, filter, recursive, body, otherwise);
  }

  private Expression loopFilter(Target target) {
    var inner = inner();
    target.names().forEach(inner::begins);
    var outer = expressions.enter(inner);
    var filter = expressions.expression();
    expressions.enter(outer);
    return filter;
  }

  private Statement set(Token tag) {
    var target = targets.targetOrField();
    if (tokens.skipOperator("=")) {
      var value = expressions.tuple();
      if (target instanceof Target.Field field) {
        expressions.names().reads(field.namespace());
      }
      target.names().forEach(expressions.names()::sets);
      return new Statement.Set(tag.at(), target, value);
    }
    target.names().forEach(expressions.names()::sets);
    List<Statement.Applied> filters = tokens.skipOperator("|") ? expressions.filters() : List.of();
    return new Statement.SetBlock(tag.at(), target, filters, block(tag, "endset", inner()));
  }

  private Statement macro(Token tag) {
    var name = targets.name().text();
    expressions.names().sets(name);
    tokens.expectOperator("(");
    var inner = inner();
    var parameters = parameters(inner);
    var body = functionBody(tag, "endmacro", inner);
    return new Statement.MacroDefinition(tag.at(), name, signature(tag, parameters, inner), body);
  }

  private Statement callBlock(Token tag) {
    var inner = inner();
    List<Parameter> parameters = tokens.skipOperator("(") ? parameters(inner) : List.of();
    var at = tokens.current().at();
    if (!(expressions.expression() instanceof Expression.Call call)) {
      throw at.error("expected the call of a macro");
    }
    var body = functionBody(tag, "endcall", inner);
    return new Statement.CallBlock(tag.at(), call, signature(tag, parameters, inner), body);
  }

  private static Signature signature(Token tag, List<Parameter> parameters, Names names) {
    var special = new HashSet<>(names.special());
    for (var parameter : parameters) {
      boolean caller = parameter.name().equals("caller");
      if (caller && special.contains("caller") && parameter.fallback() == null) {
        throw tag.at().error("the parameter 'caller' needs a default");
      }
      special.remove(parameter.name());
    }
    return new Signature(parameters, Set.copyOf(special));
  }

  private List<Parameter> parameters(Names inner) {
    var outer = expressions.enter(inner);
    var parameters = new ArrayList<Parameter>();
    boolean fallbacks = false;
    while (!tokens.skipOperator(")")) {
      if (!parameters.isEmpty()) {
        tokens.expectOperator(",");
      }
      var name = targets.name();
      if (parameters.stream().anyMatch(other -> other.name().equals(name.text()))) {
        throw name.at().error("the parameter '" + name.text() + "' is there twice");
      }
      inner.begins(name.text());
      var fallback = tokens.skipOperator("=") ? expressions.expression() : null;
      if (fallbacks && fallback == null) {
        throw name.at().error("a parameter without a default follows one that has one");
      }
      fallbacks = fallback != null;
      parameters.add(new Parameter(name.text(), fallback));
    }
    expressions.enter(outer);
    return List.copyOf(parameters);
  }

  private Statement with(Token tag) {
    var inner = inner();
    var bindings = new ArrayList<Binding>();
    while (!tokens.at(Kind.BLOCK_END)) {
      if (!bindings.isEmpty()) {
        tokens.expectOperator(",");
      }
      var target = targets.target();
      target.names().forEach(inner::begins);
      tokens.expectOperator("=");
      bindings.add(new Binding(target, expressions.expression()));
    }
    return new Statement.With(tag.at(), List.copyOf(bindings), block(tag, "endwith", inner));
  }

  /// The body of a tag, whose end is read too.
  private Block block(Token tag, String end, Names names) {
    endOfTag();
    var body = within(names, tag, end);
    tokens.take();
    return body;
  }

  /// A body that is called, so that no `break` in it reaches a loop around it.
  private Block functionBody(Token tag, String end, Names names) {
    int outer = loops;
    loops = 0;
    var body = block(tag, end, names);
    loops = outer;
    return body;
  }

  /// Statements in a block of their own.
  private Block within(Names names, Token tag, String... ends) {
    var outer = expressions.enter(names);
    var statements = until(tag, Set.of(ends), false);
    expressions.enter(outer);
    return new Block(statements, names.unset());
  }

  private void endOfTag() {
    tokens.skipOperator(":");
    tokens.expect(Kind.BLOCK_END, "'%}'");
  }
}
