package dev.espalier.env;

import dev.espalier.chat.CanonicalCall;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A turn of a recorded conversation as a task of one turn: the reward is 1 for the tool calls that
/// were recorded, arguments compared as JSON values, or for the text where there were none; else 0.
public final class ExampleEnv implements Env {
  /// The name it is registered by.
  public static final String NAME = "examples";

  private final ObjectNode data;
  private final Message.Assistant expected;

  private ExampleEnv(ObjectNode data) {
    this.data = data;
    expected = (Message.Assistant) ChatRequest.message(data.path("expected"));
  }

  /// @param expected the assistant message that was recorded
  public static Task task(
      String id, ArrayNode messages, @Nullable JsonNode tools, ObjectNode expected) {
    var data = Json.object();
    data.set("messages", messages);
    if (tools != null) data.set("tools", tools);
    data.set("expected", expected);
    return new Task(NAME, id, data);
  }

  /// Opens attempts.
  public static Environments.Maker maker() {
    return (task, seed) -> new ExampleEnv(task.data());
  }

  @Override
  public Conversation start() {
    // nothing constrains what a policy samples: its own probabilities are learnt from
    var tools = data.get("tools") instanceof ArrayNode array ? ChatRequest.described(array) : null;
    return new Conversation((ArrayNode) data.get("messages"), tools);
  }

  @Override
  public Step step(Completion action) {
    boolean right = same(action.message());
    return new Step.Done(
        right ? 1 : 0, right ? "as recorded" : "recorded was " + data.get("expected"));
  }

  private boolean same(Message.Assistant answer) {
    if (expected.calls().isEmpty() && answer.calls().isEmpty()) {
      return expected.text().strip().equals(answer.text().strip());
    }
    return same(CanonicalCall.all(expected.calls()), CanonicalCall.all(answer.calls()));
  }

  /// Calls of a turn run in parallel: their order means nothing. What cannot be read is like
  /// nothing else.
  private static boolean same(
      @Nullable List<CanonicalCall> wanted, @Nullable List<CanonicalCall> asked) {
    if (wanted == null || asked == null) return false;
    var left = new ArrayList<>(asked);
    return wanted.stream().allMatch(left::remove) && left.isEmpty();
  }
}
