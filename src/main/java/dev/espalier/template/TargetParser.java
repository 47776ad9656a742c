package dev.espalier.template;

import dev.espalier.template.Statement.Target;
import dev.espalier.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// What stands left of `=`, or between `for` and `in`.
final class TargetParser {
  private static final Set<String> RESERVED =
      Set.of("true", "false", "none", "True", "False", "None");

  private static final int MAX_DEPTH = 100;

  private final TokenStream tokens;
  private int depth;

  TargetParser(TokenStream tokens) {
    this.tokens = tokens;
  }

  /// One name.
  Token name() {
    var name = tokens.expect(Kind.NAME, "a name");
    if (RESERVED.contains(name.text()) || Character.isDigit(name.text().codePointAt(0))) {
      throw name.at().error("cannot assign to '" + name.text() + "'");
    }
    return name;
  }

  /// A name, or several that a sequence is unpacked into.
  Target target() {
    return target(false);
  }

  /// The same, or the field of a namespace.
  Target targetOrField() {
    return target(true);
  }

  private Target target(boolean fields) {
    var at = tokens.current().at();
    var first = single(fields);
    if (!tokens.atOperator(",")) {
      return first;
    }
    var targets = new ArrayList<>(List.of(first));
    while (tokens.skipOperator(",") && !atEnd()) {
      targets.add(single(fields));
    }
    return new Target.Unpacked(at, List.copyOf(targets));
  }

  private boolean atEnd() {
    return tokens.at(Kind.BLOCK_END)
        || tokens.atOperator(")")
        || tokens.atOperator("=")
        || tokens.atName("in");
  }

  private Target single(boolean fields) {
    if (tokens.skipOperator("(")) {
      if (++depth > MAX_DEPTH) {
        throw tokens.current().at().error("brackets nest more deeply than " + MAX_DEPTH);
      }
      var inner = target(fields);
      depth--;
      tokens.expectOperator(")");
      return inner;
    }
    var name = name();
    if (fields && tokens.skipOperator(".")) {
      var field = tokens.expect(Kind.NAME, "the name of a field");
      return new Target.Field(name.at(), name.text(), field.text());
    }
    return new Target.Variable(name.at(), name.text());
  }
}
