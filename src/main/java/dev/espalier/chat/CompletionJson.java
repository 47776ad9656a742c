package dev.espalier.chat;

import java.time.Instant;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Completions as OpenAI's JSON.
public final class CompletionJson {
  private CompletionJson() {}

  /// Reads a `chat.completion`, its first choice.
  ///
  /// @throws ChatException with status 502 if it is not one
  public static Completion read(JsonNode json) {
    if (json.hasNonNull("error")) {
      throw new ChatException(502, "the upstream failed: " + error(json.get("error")));
    }
    var choice = json.path("choices").path(0);
    if (!(choice.path("message") instanceof ObjectNode message)) {
      throw new ChatException(502, "the upstream's answer has no message");
    }
    var said = message.deepCopy().put("role", "assistant");
    return new Completion(
        (Message.Assistant) ChatRequest.message(said),
        finish(choice.path("finish_reason").asString("stop")),
        usage(json.path("usage")),
        null);
  }

  static String error(JsonNode error) {
    return error.isString() ? error.asString() : error.path("message").asString(error.toString());
  }

  static Usage usage(JsonNode usage) {
    return new Usage(
        usage.path("prompt_tokens").asInt(0), usage.path("completion_tokens").asInt(0));
  }

  static FinishReason finish(String reason) {
    return switch (reason) {
      case "length" -> FinishReason.LENGTH;
      case "tool_calls", "function_call" -> FinishReason.TOOL_CALLS;
      case "content_filter" -> FinishReason.CONTENT_FILTER;
      default -> FinishReason.STOP; // servers have words of their own for it
    };
  }

  /// Writes a `chat.completion` of one choice. The token trace is left out.
  public static ObjectNode write(Completion completion, String id, String model, Instant created) {
    var json = head("chat.completion", id, model, created);
    var choice = json.putArray("choices").addObject().put("index", 0);
    choice.set("message", message(completion.message()));
    choice.putNull("logprobs").put("finish_reason", completion.finish().wire());
    json.set("usage", usage(completion.usage()));
    return json;
  }

  /// An assistant message, its calls included.
  public static ObjectNode message(Message.Assistant message) {
    var json = Json.object().put("role", "assistant");
    if (message.text().isEmpty() && !message.calls().isEmpty()) json.putNull("content");
    else json.put("content", message.text());
    if (!message.calls().isEmpty()) calls(message, json.putArray("tool_calls"), false);
    return json;
  }

  private static void calls(Message.Assistant message, ArrayNode out, boolean indexed) {
    for (int i = 0; i < message.calls().size(); i++) {
      var call = message.calls().get(i);
      var json = out.addObject();
      if (indexed) json.put("index", i);
      json.put("id", call.id()).put("type", "function");
      json.putObject("function").put("name", call.name()).put("arguments", call.arguments());
    }
  }

  private static ObjectNode usage(Usage usage) {
    return Json.object()
        .put("prompt_tokens", usage.promptTokens())
        .put("completion_tokens", usage.completionTokens())
        .put("total_tokens", usage.totalTokens());
  }

  private static ObjectNode head(String object, String id, String model, Instant created) {
    return Json.object()
        .put("id", id)
        .put("object", object)
        .put("created", created.getEpochSecond())
        .put("model", model);
  }

  /// A chunk that adds text; the first has the role, and no other, for clients add strings up.
  public static ObjectNode textChunk(
      String text, boolean first, String id, String model, Instant created) {
    var json = head("chat.completion.chunk", id, model, created);
    var choice = json.putArray("choices").addObject().put("index", 0);
    var delta = choice.putObject("delta");
    if (first) delta.put("role", "assistant");
    delta.put("content", text);
    choice.putNull("finish_reason");
    return json;
  }

  /// The chunk that ends a completion: its calls, if any, whole, and why it ended.
  public static ObjectNode lastChunk(
      Completion completion, String id, String model, Instant created) {
    var json = head("chat.completion.chunk", id, model, created);
    var choice = json.putArray("choices").addObject().put("index", 0);
    var delta = choice.putObject("delta");
    if (completion.message().text().isEmpty()) delta.put("role", "assistant");
    if (!completion.message().calls().isEmpty()) {
      calls(completion.message(), delta.putArray("tool_calls"), true);
    }
    choice.put("finish_reason", completion.finish().wire());
    return json;
  }

  /// The chunk that carries the token usage, for a client that asked for it.
  public static ObjectNode usageChunk(
      Completion completion, String id, String model, Instant created) {
    var json = head("chat.completion.chunk", id, model, created);
    json.putArray("choices");
    json.set("usage", usage(completion.usage()));
    return json;
  }
}
