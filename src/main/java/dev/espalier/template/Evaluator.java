package dev.espalier.template;

import dev.espalier.template.Expression.CallArguments;
import dev.espalier.template.Statement.Applied;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Computes expressions.
final class Evaluator {
  private final Interpreter interpreter;

  Evaluator(Interpreter interpreter) {
    this.interpreter = interpreter;
  }

  Object evaluate(Expression expression, Scope scope) {
    try {
      interpreter.budget().step();
      return compute(expression, scope);
    } catch (Failure failure) {
      throw expression.at().error(failure.what());
    }
  }

  private Object compute(Expression expression, Scope scope) {
    return switch (expression) {
      case Expression.Literal literal -> literal.value();
      case Expression.Name name -> name(name.name(), scope);
      case Expression.Attribute attribute ->
          Attributes.attribute(evaluate(attribute.owner(), scope), attribute.name());
      case Expression.Item item ->
          Attributes.item(
              evaluate(item.owner(), scope), evaluate(item.key(), scope), interpreter.budget());
      case Expression.Slice slice -> slice(slice, scope);
      case Expression.Call call -> call(call, scope, null);
      case Expression.Filtered filtered -> filtered(filtered, scope);
      case Expression.Tested tested -> tested(tested, scope);
      case Expression.Not not -> !Types.truth(evaluate(not.operand(), scope));
      case Expression.Signed signed -> signed(signed, scope);
      case Expression.And and -> {
        var left = evaluate(and.left(), scope);
        yield Types.truth(left) ? evaluate(and.right(), scope) : left;
      }
      case Expression.Or or -> {
        var left = evaluate(or.left(), scope);
        yield Types.truth(left) ? left : evaluate(or.right(), scope);
      }
      case Expression.Binary binary ->
          Operators.apply(
              binary.operator(),
              evaluate(binary.left(), scope),
              evaluate(binary.right(), scope),
              interpreter.budget());
      case Expression.Comparison comparison -> comparison(comparison, scope);
      case Expression.Concatenation concatenation -> concatenation(concatenation, scope);
      case Expression.Conditional conditional -> conditional(conditional, scope);
      case Expression.ListOf list -> evaluate(list.items(), scope);
      case Expression.TupleOf tuple -> new Value.Tuple(evaluate(tuple.items(), scope));
      case Expression.DictOf dict -> dict(dict, scope);
    };
  }

  private static Object name(String name, Scope scope) {
    var variable = scope.get(name);
    if (variable != null) {
      return variable;
    }
    var function = Functions.named(name);
    return function == null ? new Value.Undefined("", name) : function;
  }

  private Object slice(Expression.Slice slice, Scope scope) {
    return Slices.slice(
        evaluate(slice.owner(), scope),
        bound(slice.start(), scope),
        bound(slice.stop(), scope),
        bound(slice.step(), scope),
        interpreter.budget());
  }

  private @Nullable Long bound(@Nullable Expression bound, Scope scope) {
    if (bound == null) {
      return null;
    }
    var value = evaluate(bound, scope);
    if (value instanceof Value.None) {
      return null;
    }
    if (Numbers.number(value) instanceof Long number) {
      return Math.clamp(number, Integer.MIN_VALUE, Integer.MAX_VALUE) + 0L;
    }
    throw Types.mismatch("a whole number as the bound of a slice", value);
  }

  /// @param caller the body of a `call` block, if the call is one
  Object call(Expression.Call call, Scope scope, @Nullable Macro caller) {
    var callee = evaluate(call.callee(), scope);
    var arguments = arguments(call.arguments(), scope);
    if (caller != null) {
      var named = new LinkedHashMap<>(arguments.named());
      named.put("caller", caller);
      arguments = new Arguments(arguments.positional(), named);
    }
    return switch (callee) {
      case Value.Callable function -> function.call(arguments, interpreter);
      case Loop loop -> loop.recursion().call(arguments, interpreter);
      case Value.Undefined undefined -> throw undefined.failure();
      default -> throw new Failure("a value of type " + Types.name(callee) + " cannot be called");
    };
  }

  Arguments arguments(CallArguments arguments, Scope scope) {
    if (arguments.isEmpty()) {
      return Arguments.NONE;
    }
    var positional = evaluate(arguments.positional(), scope);
    if (arguments.morePositional() != null) {
      Types.iterate(evaluate(arguments.morePositional(), scope)).forEachRemaining(positional::add);
    }
    var named = new LinkedHashMap<String, Object>();
    for (var argument : arguments.named()) {
      named.put(argument.name(), evaluate(argument.value(), scope));
    }
    if (arguments.moreNamed() != null) {
      addNamed(evaluate(arguments.moreNamed(), scope), named);
    }
    return new Arguments(positional, named);
  }

  private static void addNamed(Object value, Map<String, Object> named) {
    if (!(value instanceof Dict dict)) {
      throw Types.mismatch("a dict after '**'", value);
    }
    for (var entry : dict.entries().entrySet()) {
      if (!(entry.getKey() instanceof String name)) {
        throw new Failure("the keys after '**' must be strings");
      }
      if (named.put(name, entry.getValue()) != null) {
        throw new Failure("the argument '" + name + "' is given twice");
      }
    }
  }

  private Object filtered(Expression.Filtered filtered, Scope scope) {
    var input = evaluate(filtered.input(), scope);
    var applied =
        new Applied(filtered.at(), filtered.name(), filtered.filter(), filtered.arguments());
    return filter(applied, input, scope);
  }

  Object filter(Applied applied, Object input, Scope scope) {
    if (applied.filter() == null) {
      throw applied.at().error(Filters.unknown(applied.name()));
    }
    return applied.filter().apply(input, arguments(applied.arguments(), scope), interpreter);
  }

  private Object tested(Expression.Tested tested, Scope scope) {
    if (tested.test() == null) {
      throw new Failure(Tests.unknown(tested.name()));
    }
    var input = evaluate(tested.input(), scope);
    return tested.test().holds(input, arguments(tested.arguments(), scope), interpreter.budget());
  }

  private Object signed(Expression.Signed signed, Scope scope) {
    var operand = evaluate(signed.operand(), scope);
    var number = Numbers.number(operand);
    if (number == null) {
      throw Types.mismatch("a number after a sign", operand);
    }
    return signed.negative() ? Numbers.negate(number) : number;
  }

  private Object comparison(Expression.Comparison comparison, Scope scope) {
    var left = evaluate(comparison.first(), scope);
    for (var link : comparison.links()) {
      var right = evaluate(link.right(), scope);
      if (!Comparisons.holds(link.comparator(), left, right, interpreter.budget())) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private Object concatenation(Expression.Concatenation concatenation, Scope scope) {
    var joined = new StringBuilder();
    for (var part : concatenation.parts()) {
      var text = PythonText.str(evaluate(part, scope));
      interpreter.budget().text((long) joined.length() + text.length(), text.length());
      joined.append(text);
    }
    return joined.toString();
  }

  private Object conditional(Expression.Conditional conditional, Scope scope) {
    if (Types.truth(evaluate(conditional.test(), scope))) {
      return evaluate(conditional.chosen(), scope);
    }
    return conditional.otherwise() == null
        ? Value.Undefined.NOTHING
        : evaluate(conditional.otherwise(), scope);
  }

  private List<Object> evaluate(List<Expression> expressions, Scope scope) {
    interpreter.budget().items(expressions.size());
    var values = new ArrayList<Object>(expressions.size());
    for (var expression : expressions) {
      values.add(evaluate(expression, scope));
    }
    return values;
  }

  private Object dict(Expression.DictOf expression, Scope scope) {
    interpreter.budget().items(expression.entries().size());
    var dict = new Dict();
    for (var entry : expression.entries()) {
      dict.put(evaluate(entry.key(), scope), evaluate(entry.value(), scope));
    }
    return dict;
  }
}
