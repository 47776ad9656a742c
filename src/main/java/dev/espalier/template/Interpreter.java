package dev.espalier.template;

import dev.espalier.template.Statement.Applied;
import dev.espalier.template.Statement.Block;
import dev.espalier.template.Statement.Target;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/// Runs the statements of one rendering.
final class Interpreter {
  /// What a statement means for those after it.
  private enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  private final Budget budget = new Budget();
  private final Evaluator evaluator = new Evaluator(this);
  private final LocalDateTime now;
  private StringBuilder output = new StringBuilder();

  Interpreter(LocalDateTime now) {
    this.now = now;
  }

  String render(Block template, Scope variables) {
    return capture(template.statements(), new Scope(variables, template.unset()));
  }

  Budget budget() {
    return budget;
  }

  /// The time that the template is told.
  LocalDateTime now() {
    return now;
  }

  Object evaluate(Expression expression, Scope scope) {
    return evaluator.evaluate(expression, scope);
  }

  /// Runs the body of a macro among its arguments.
  String call(Macro macro, Scope scope) {
    return capture(macro.body().statements(), scope);
  }

  private String capture(List<Statement> body, Scope scope) {
    var captured = new StringBuilder();
    capture(body, scope, captured);
    return captured.toString();
  }

  private Flow capture(List<Statement> body, Scope scope, StringBuilder into) {
    var outer = output;
    output = into;
    var flow = run(body, scope);
    output = outer;
    return flow;
  }

  private Flow run(Block block, Scope scope) {
    return run(block.statements(), new Scope(scope, block.unset()));
  }

  private Flow run(List<Statement> body, Scope scope) {
    budget.enter();
    for (var statement : body) {
      var flow = execute(statement, scope);
      if (flow != Flow.NEXT) {
        budget.leave();
        return flow;
      }
    }
    budget.leave();
    return Flow.NEXT;
  }

  private Flow execute(Statement statement, Scope scope) {
    try {
      budget.step();
      return switch (statement) {
        case Statement.Text text -> print(text.text());
        case Statement.Print print -> print(PythonText.str(evaluate(print.value(), scope)));
        case Statement.If condition ->
            run(
                Types.truth(evaluate(condition.test(), scope))
                    ? condition.body()
                    : condition.otherwise(),
                scope);
        case Statement.For loop -> loop(loop, evaluate(loop.items(), scope), 0, scope);
        case Statement.Set set -> assign(set.target(), evaluate(set.value(), scope), scope);
        case Statement.SetBlock set -> setBlock(set, scope);
        case Statement.MacroDefinition macro -> {
          scope.set(macro.name(), new Macro(macro.name(), macro.signature(), macro.body(), scope));
          yield Flow.NEXT;
        }
        case Statement.CallBlock block -> {
          var caller = new Macro("caller", block.signature(), block.body(), scope);
          yield print(PythonText.str(evaluator.call(block.call(), scope, caller)));
        }
        case Statement.FilterBlock block -> filterBlock(block, scope);
        case Statement.With with -> with(with, scope);
        case Statement.Generation generation -> run(generation.body(), scope);
        case Statement.Break _ -> Flow.BREAK;
        case Statement.Continue _ -> Flow.CONTINUE;
      };
    } catch (Failure failure) {
      throw statement.at().error(failure.what());
    }
  }

  private Flow print(String text) {
    budget.text((long) output.length() + text.length(), text.length());
    output.append(text);
    return Flow.NEXT;
  }

  private Flow setBlock(Statement.SetBlock set, Scope scope) {
    var inner = new Scope(scope, set.body().unset());
    var captured = new StringBuilder();
    var flow = capture(set.body().statements(), inner, captured);
    if (flow == Flow.NEXT) {
      assign(set.target(), filter(captured.toString(), set.filters(), inner), scope);
    }
    return flow;
  }

  private Flow filterBlock(Statement.FilterBlock block, Scope scope) {
    var inner = new Scope(scope, block.body().unset());
    var captured = new StringBuilder();
    var flow = capture(block.body().statements(), inner, captured);
    if (flow == Flow.NEXT) {
      print(PythonText.str(filter(captured.toString(), block.filters(), inner)));
    }
    return flow;
  }

  private Object filter(String text, List<Applied> filters, Scope scope) {
    Object result = text;
    for (var applied : filters) {
      result = evaluator.filter(applied, result, scope);
    }
    return result;
  }

  private Flow with(Statement.With with, Scope scope) {
    var inner = new Scope(scope, with.body().unset());
    for (var binding : with.bindings()) {
      assign(binding.target(), evaluate(binding.value(), scope), inner);
    }
    return run(with.body().statements(), inner);
  }

  private Flow loop(Statement.For statement, Object value, int depth, Scope scope) {
    var items = Types.iterate(value);
    int size = Types.size(value);
    if (statement.filter() != null) {
      var filter = statement.filter();
      size = -1;
      items =
          Lazy.filter(
              items,
              item -> {
                var inner = new Scope(scope, Set.of());
                assign(statement.target(), item, inner);
                return Types.truth(evaluate(filter, inner));
              });
    }
    return loop(statement, new Loop(items, size, depth, recursion(statement, depth, scope)), scope);
  }

  private Flow loop(Statement.For statement, Loop loop, Scope scope) {
    boolean completed = false;
    for (var item = loop.next(); item != null; item = loop.next()) {
      budget.step();
      var inner = new Scope(scope, statement.body().unset());
      inner.set("loop", loop);
      assign(statement.target(), item, inner);
      var flow = run(statement.body().statements(), inner);
      if (flow == Flow.BREAK) {
        break;
      }
      completed |= flow == Flow.NEXT;
    }
    // So Jinja has it: a loop whose every step was cut short counts as one without steps.
    return completed ? Flow.NEXT : run(statement.otherwise(), scope);
  }

  /// What `loop(items)` does in a recursive loop: the same loop over other items, as text.
  private Value.Callable recursion(Statement.For statement, int depth, Scope scope) {
    return (arguments, _) -> {
      if (!statement.recursive()) {
        throw new Failure("this loop is not marked 'recursive'");
      }
      var outer = output;
      output = new StringBuilder();
      loop(statement, arguments.bind("items").required(0), depth + 1, scope);
      var text = output.toString();
      output = outer;
      return text;
    };
  }

  private Flow assign(Target target, Object value, Scope scope) {
    switch (target) {
      case Target.Variable variable -> scope.set(variable.name(), value);
      case Target.Field field -> {
        if (!(scope.get(field.namespace()) instanceof Value.Namespace namespace)) {
          throw target.at().error("'" + field.namespace() + "' is not a namespace");
        }
        namespace.fields().put(field.name(), value);
      }
      case Target.Unpacked unpacked -> unpack(unpacked, value, scope);
    }
    return Flow.NEXT;
  }

  private void unpack(Target.Unpacked unpacked, Object value, Scope scope) {
    int wanted = unpacked.targets().size();
    var items = new ArrayList<Object>(wanted);
    Iterator<Object> iterator = Types.iterate(value);
    while (iterator.hasNext() && items.size() <= wanted) {
      items.add(iterator.next());
    }
    if (items.size() != wanted) {
      var count = items.size() > wanted ? "more" : String.valueOf(items.size());
      throw unpacked.at().error("cannot unpack " + count + " values into " + wanted);
    }
    for (int i = 0; i < wanted; i++) {
      assign(unpacked.targets().get(i), items.get(i), scope);
    }
  }
}
