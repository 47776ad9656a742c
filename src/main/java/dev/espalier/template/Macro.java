package dev.espalier.template;

import dev.espalier.template.Statement.Block;
import dev.espalier.template.Statement.Signature;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A macro, or the body of a `call` block, with the variables it was defined among.
record Macro(String name, Signature signature, Block body, Scope defined)
    implements Value.Callable {

  @Override
  public Object call(Arguments arguments, Interpreter interpreter) {
    return interpreter.call(this, bind(arguments, interpreter));
  }

  /// Gives the arguments to the parameters; what is not given takes its default.
  private Scope bind(Arguments arguments, Interpreter interpreter) {
    var scope = new Scope(defined, body.unset());
    var positional = arguments.positional();
    var named = new LinkedHashMap<>(arguments.named());
    var parameters = signature.parameters();
    for (int i = 0; i < parameters.size(); i++) {
      var parameter = parameters.get(i);
      var given = i < positional.size() ? positional.get(i) : named.remove(parameter.name());
      if (given != null) {
        scope.set(parameter.name(), given);
      } else if (parameter.fallback() == null) {
        scope.set(parameter.name(), new Value.Undefined("", parameter.name()));
      } else {
        scope.set(parameter.name(), interpreter.evaluate(parameter.fallback(), scope));
      }
    }
    special(scope, positional, named);
    return scope;
  }

  private void special(Scope scope, List<Object> positional, Map<String, Object> named) {
    if (signature.uses().contains("caller")) {
      var caller = named.remove("caller");
      scope.set("caller", caller == null ? new Value.Undefined("", "caller") : caller);
    }
    if (signature.uses().contains("kwargs")) {
      var dict = new Dict();
      named.forEach(dict::put);
      scope.set("kwargs", dict);
    } else if (!named.isEmpty()) {
      throw new Failure(
          "the macro '" + name + "' has no parameter '" + named.keySet().iterator().next() + "'");
    }
    int taken = Math.min(positional.size(), signature.parameters().size());
    if (signature.uses().contains("varargs")) {
      scope.set("varargs", new Tuple(positional.subList(taken, positional.size())));
    } else if (taken < positional.size()) {
      throw new Failure("the macro '" + name + "' has no more than " + taken + " parameters");
    }
  }
}
