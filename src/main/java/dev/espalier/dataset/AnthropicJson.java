package dev.espalier.dataset;

import dev.espalier.chat.Json;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Anthropic's messages in OpenAI's form, which is the one that examples are kept in.
final class AnthropicJson {
  private AnthropicJson() {}

  /// The request with its system text, messages and tools rewritten, and its other fields kept.
  static ObjectNode request(ObjectNode request) {
    var out = Json.object();
    out.setAll(request);
    out.remove(List.of("system", "messages", "tools"));
    var messages = Json.array();
    var system = text(request.path("system"));
    if (!system.isEmpty()) messages.addObject().put("role", "system").put("content", system);
    for (var message : request.path("messages")) {
      switch (message.path("role").asString("")) {
        case "user" -> user(message.path("content"), messages);
        case "assistant" -> messages.add(assistant(message.path("content")));
        case String role -> throw new DatasetException("unknown message role \"" + role + "\"");
      }
    }
    if (request.path("tools").isArray() && !request.path("tools").isEmpty()) {
      out.set("tools", tools(request.path("tools")));
    }
    out.set("messages", messages);
    return out;
  }

  /// The response as an assistant message.
  static ObjectNode answer(JsonNode response) {
    return switch (response.path("stop_reason").asString("")) {
      case "end_turn", "tool_use", "stop_sequence" -> assistant(response.path("content"));
      case "max_tokens" -> throw new DatasetException("the answer was cut off");
      case "refusal" -> throw new DatasetException("the answer was filtered");
      default -> throw new DatasetException("the response has no message");
    };
  }

  /// A user's turn: the results of tools, each a message, and then what the user said.
  private static void user(JsonNode content, ArrayNode messages) {
    var said = new ArrayList<JsonNode>();
    for (var block : content) {
      if (!block.path("type").asString("").equals("tool_result")) {
        said.add(block);
        continue;
      }
      messages
          .addObject()
          .put("role", "tool")
          .put("tool_call_id", block.path("tool_use_id").asString(""))
          .put("content", text(block.path("content")));
    }
    if (content.isArray() && said.isEmpty()) return;
    var text = content.isArray() ? text(Json.array().addAll(said)) : text(content);
    messages.addObject().put("role", "user").put("content", text);
  }

  private static ObjectNode assistant(JsonNode content) {
    var message = Json.object().put("role", "assistant");
    var calls = Json.array();
    var said = Json.array();
    var thought = new StringBuilder();
    for (var block : content) {
      switch (block.path("type").asString("")) {
        case "tool_use" -> {
          var call = calls.addObject().put("id", block.path("id").asString(""));
          call.put("type", "function")
              .putObject("function")
              .put("name", block.path("name").asString(""))
              .put("arguments", block.path("input").toString());
        }
        case "thinking" -> thought.append(block.path("thinking").asString(""));
        case "redacted_thinking" -> {} // encrypted: nobody can learn from it
        default -> said.add(block);
      }
    }
    var text = content.isArray() ? text(said) : text(content);
    if (!text.isEmpty()) message.put("content", text);
    if (!thought.isEmpty()) message.put("reasoning_content", thought.toString());
    if (!calls.isEmpty()) message.set("tool_calls", calls);
    return message;
  }

  private static ArrayNode tools(JsonNode tools) {
    var out = Json.array();
    for (var tool : tools) {
      if (!tool.has("input_schema")) {
        throw new DatasetException(
            "the provider's own tool %s cannot be learned".formatted(tool.path("name")));
      }
      var function = out.addObject().put("type", "function").putObject("function");
      function.put("name", tool.path("name").asString(""));
      if (tool.has("description")) function.set("description", tool.get("description"));
      function.set("parameters", tool.get("input_schema"));
    }
    return out;
  }

  /// A string, or the texts of an array of text blocks.
  private static String text(JsonNode content) {
    if (!content.isArray()) return content.asString("");
    var texts = new StringBuilder();
    for (var block : content) {
      var type = block.path("type").asString("");
      if (!type.equals("text")) {
        throw new DatasetException("content of type %s cannot be learned from".formatted(type));
      }
      texts.append(block.path("text").asString(""));
    }
    return texts.toString();
  }
}
