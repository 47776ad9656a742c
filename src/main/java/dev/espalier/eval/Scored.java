package dev.espalier.eval;

import dev.espalier.chat.Completion;
import dev.espalier.chat.Json;
import dev.espalier.store.Example;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// One held-out turn, what the model made of it, and how that was graded.
///
/// @param completion null where the model failed
/// @param textF1 the share of words in common; 0 where a call was expected or given
/// @param seconds from the request to the answer or the failure
/// @param error what the model said when it failed, empty otherwise
public record Scored(
    Example example,
    Grade grade,
    @Nullable Completion completion,
    double textF1,
    double seconds,
    String error) {

  /// Whether the turn should have been a call.
  public boolean wantsCall() {
    return !example.expected().calls().isEmpty();
  }

  public boolean exact() {
    return grade == Grade.EXACT;
  }

  /// The turn as one JSON object, for people who want to see what went wrong.
  public ObjectNode toJson() {
    var json = Json.object().put("source", example.source()).put("grade", grade.wire());
    json.set("expected", example.target());
    if (completion != null) {
      var answer = json.putObject("answer").put("text", completion.message().text());
      answer.set("calls", Json.MAPPER.valueToTree(completion.message().calls()));
    }
    if (!error.isEmpty()) json.put("error", error);
    return json;
  }
}
