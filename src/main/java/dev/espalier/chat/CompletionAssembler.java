package dev.espalier.chat;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Puts the chunks of a streamed completion together (OpenAI's `chat.completion.chunk`).
///
/// Reads the first choice. Belongs to one thread.
public final class CompletionAssembler {
  /// A call whose arguments are still arriving.
  private static final class Call {
    String id = "";
    String name = "";
    final StringBuilder arguments = new StringBuilder();

    ToolCall toolCall() {
      return new ToolCall(id, name, arguments.toString());
    }
  }

  private final StringBuilder text = new StringBuilder();
  private final Map<Integer, Call> calls = new TreeMap<>();
  private @Nullable FinishReason finish;
  private Usage usage = new Usage(0, 0);

  /// Takes a chunk and returns the text that it adds.
  ///
  /// @throws ChatException with status 502 if the chunk is an error
  public String add(JsonNode chunk) {
    if (chunk.hasNonNull("error")) {
      throw new ChatException(
          502, "the upstream failed mid-stream: " + CompletionJson.error(chunk.get("error")));
    }
    if (chunk.path("usage").isObject()) usage = CompletionJson.usage(chunk.path("usage"));
    var choice = choice(chunk);
    var delta = choice.path("delta");
    for (var call : delta.path("tool_calls")) add(call, calls.size());
    if (choice.path("finish_reason").isString()) {
      finish = CompletionJson.finish(choice.path("finish_reason").asString());
    }
    var fresh = delta.path("content").asString("");
    text.append(fresh);
    return fresh;
  }

  private static JsonNode choice(JsonNode chunk) {
    for (var choice : chunk.path("choices")) {
      if (choice.path("index").asInt(0) == 0) return choice;
    }
    return Json.object();
  }

  private void add(JsonNode delta, int otherwise) {
    var call = calls.computeIfAbsent(delta.path("index").asInt(otherwise), index -> new Call());
    if (call.id.isEmpty()) call.id = delta.path("id").asString("");
    var function = delta.path("function");
    if (call.name.isEmpty()) call.name = function.path("name").asString("");
    call.arguments.append(function.path("arguments").asString(""));
  }

  /// The whole completion.
  ///
  /// @throws ChatException with status 502 if the stream ended before the completion did
  public Completion completion() {
    if (finish == null) {
      throw new ChatException(502, "the upstream closed its stream before the answer was complete");
    }
    var toolCalls = calls.values().stream().map(Call::toolCall).toList();
    return new Completion(new Message.Assistant(text.toString(), toolCalls), finish, usage, null);
  }
}
