package dev.espalier.tools;

import dev.espalier.chat.CanonicalJson;
import dev.espalier.chat.Json;
import dev.espalier.tools.Outcome.Failed;
import dev.espalier.tools.Outcome.Finished;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A call of a function and the value that it must return.
record TestCase(ArrayNode arguments, JsonNode expected) {
  private static final int SHOWN_CHARS = 200;

  /// The call as code, such as `add(1, 2)`.
  String call(String function) {
    return arguments
        .valueStream()
        .map(JsonNode::toString)
        .collect(Collectors.joining(", ", function + "(", ")"));
  }

  /// What is wrong with an outcome of the call, in one line; null if it is right.
  @Nullable String fault(Outcome outcome) {
    return switch (outcome) {
      case Failed failed -> "failed: " + brief(failed.message());
      case Finished(var _, var value) when value == null -> "gave no JSON, not " + brief(expected);
      case Finished(var _, var value) when !equal(value, expected) ->
          "gave %s, not %s".formatted(brief(value), brief(expected));
      case Finished _ -> null;
    };
  }

  private static boolean equal(JsonNode one, JsonNode other) {
    return CanonicalJson.of(one).equals(CanonicalJson.of(other));
  }

  private static String brief(Object value) {
    var line = value.toString().lines().findFirst().orElse("");
    return line.length() <= SHOWN_CHARS ? line : line.substring(0, SHOWN_CHARS) + "…";
  }

  ObjectNode json() {
    var json = Json.object();
    json.set("arguments", arguments);
    json.set("expected", expected);
    return json;
  }
}
