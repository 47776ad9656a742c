package dev.espalier.gateway;

import dev.espalier.chat.Json;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Events of an Anthropic stream to one message.
final class AnthropicAssembler implements Assembler {
  private @Nullable ObjectNode message;
  private final Map<Integer, StringBuilder> inputs = new HashMap<>();

  @Override
  public void accept(String data) {
    if (!(OpenAiAssembler.tree(data) instanceof ObjectNode event)) return;
    var type = event.path("type").asString("");
    if (type.equals("message_start") && event.path("message") instanceof ObjectNode start) {
      message = start.deepCopy();
      return;
    }
    if (type.equals("error")) {
      if (message == null) message = Json.object();
      message.set("error", event.path("error"));
      return;
    }
    if (message == null) return;
    switch (type) {
      case "content_block_start" -> content(message).add(event.path("content_block").deepCopy());
      case "content_block_delta" -> delta(message, event);
      case "content_block_stop" -> stop(message, event.path("index").asInt(0));
      case "message_delta" -> {
        if (event.path("delta") instanceof ObjectNode delta) message.setAll(delta);
        if (event.path("usage") instanceof ObjectNode usage) {
          message.withObject("usage").setAll(usage);
        }
      }
      default -> {} // ping, message_stop and whatever comes later
    }
  }

  private static ArrayNode content(ObjectNode message) {
    return message.get("content") instanceof ArrayNode list ? list : message.putArray("content");
  }

  private void delta(ObjectNode message, ObjectNode event) {
    int index = event.path("index").asInt(0);
    if (!(content(message).get(index) instanceof ObjectNode block)) return;
    var delta = event.path("delta");
    switch (delta.path("type").asString("")) {
      case "text_delta" -> append(block, "text", delta);
      case "thinking_delta" -> append(block, "thinking", delta);
      case "signature_delta" -> append(block, "signature", delta);
      case "input_json_delta" ->
          inputs
              .computeIfAbsent(index, i -> new StringBuilder())
              .append(delta.path("partial_json").asString(""));
      case "citations_delta" -> block.withArray("citations").add(delta.path("citation"));
      default -> {} // kept in the raw bytes
    }
  }

  private static void append(ObjectNode block, String field, JsonNode delta) {
    block.put(field, block.path(field).asString("") + delta.path(field).asString(""));
  }

  /// A tool's input is JSON in pieces; one that does not parse is kept as its text.
  private void stop(ObjectNode message, int index) {
    var text = inputs.remove(index);
    if (text == null || !(content(message).get(index) instanceof ObjectNode block)) return;
    if (text.isEmpty()) return;
    var input = OpenAiAssembler.tree(text.toString());
    if (input == null) {
      block.put("input", text.toString());
      return;
    }
    block.set("input", input);
  }

  @Override
  public @Nullable ObjectNode message() {
    return message;
  }

  @Override
  public boolean finished() {
    return message != null && message.path("stop_reason").isString();
  }
}
