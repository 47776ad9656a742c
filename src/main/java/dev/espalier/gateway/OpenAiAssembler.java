package dev.espalier.gateway;

import dev.espalier.chat.Json;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Chunks of a `chat.completion.chunk` stream to one `chat.completion`.
///
/// Text is concatenated, lists are joined by their elements' `index`, and a field that is not known
/// here is kept: strings grow, anything else is replaced.
final class OpenAiAssembler implements Assembler {
  /// Strings that come whole; some servers repeat them in every chunk.
  private static final Set<String> WHOLE = Set.of("id", "type", "role", "index");

  private @Nullable ObjectNode message;
  private final TreeMap<Integer, ObjectNode> choices = new TreeMap<>();

  @Override
  public void accept(String data) {
    if (data.strip().equals("[DONE]")) return;
    if (!(tree(data) instanceof ObjectNode chunk)) return;
    if (message == null) message = Json.object();
    for (var field : chunk.properties()) {
      if (field.getKey().equals("choices")) {
        for (var choice : field.getValue()) accept(choice);
        continue;
      }
      if (!field.getValue().isNull() || !message.has(field.getKey())) {
        message.set(field.getKey(), field.getValue());
      }
    }
  }

  static @Nullable JsonNode tree(String data) {
    try {
      return Json.parse(data);
    } catch (JacksonException rubbish) {
      return null; // forwarded and kept in the raw bytes, but nothing to assemble
    }
  }

  private void accept(JsonNode piece) {
    var choice = choices.computeIfAbsent(piece.path("index").asInt(0), OpenAiAssembler::choice);
    for (var field : piece.properties()) {
      var value = field.getValue();
      switch (field.getKey()) {
        case "index" -> {}
        case "delta" -> merge((ObjectNode) choice.get("message"), value);
        case "logprobs" -> {
          if (value.isObject()) merge(choice.withObject("logprobs"), value);
        }
        default -> {
          if (!value.isNull()) choice.set(field.getKey(), value);
        }
      }
    }
  }

  private static ObjectNode choice(int index) {
    var choice = Json.object().put("index", index);
    choice.set("message", Json.object().put("role", "assistant").putNull("content"));
    choice.putNull("finish_reason");
    return choice;
  }

  private static void merge(ObjectNode into, JsonNode delta) {
    for (var field : delta.properties()) {
      var name = field.getKey();
      var value = field.getValue();
      var old = into.path(name);
      if (value.isNull()) {
        if (old.isMissingNode()) into.putNull(name);
      } else if (value.isString() && old.isString()) {
        into.put(name, joined(name, old.asString(), value.asString()));
      } else if (value.isObject() && old instanceof ObjectNode object) {
        merge(object, value);
      } else if (value instanceof ArrayNode pieces) {
        mergeAll(old instanceof ArrayNode list ? list : into.putArray(name), pieces);
      } else {
        into.set(name, value.deepCopy());
      }
    }
  }

  private static String joined(String name, String old, String piece) {
    if (WHOLE.contains(name)) return old;
    // A function's name comes whole from some servers, in pieces or again and again from others.
    if (name.equals("name") && old.equals(piece)) return old;
    return old + piece;
  }

  /// Elements with an index are pieces of the element with that index, others are new ones.
  private static void mergeAll(ArrayNode list, ArrayNode pieces) {
    for (var piece : pieces) {
      if (!piece.path("index").isInt()) {
        list.add(piece.deepCopy());
        continue;
      }
      merge(element(list, piece.get("index").asInt()), piece);
    }
  }

  private static ObjectNode element(ArrayNode list, int index) {
    for (var element : list) {
      if (element instanceof ObjectNode object && object.path("index").asInt(-1) == index) {
        return object;
      }
    }
    return list.addObject().put("index", index);
  }

  @Override
  public @Nullable ObjectNode message() {
    if (message == null) return null;
    var whole = message.deepCopy();
    if (choices.isEmpty() && whole.has("error")) return whole;
    whole.put("object", "chat.completion");
    var all = whole.putArray("choices");
    for (var choice : choices.values()) {
      var copy = choice.deepCopy();
      // The index of a tool call belongs to the stream, not to the message.
      for (var call : copy.path("message").path("tool_calls")) {
        if (call instanceof ObjectNode object) object.remove("index");
      }
      all.add(copy);
    }
    return whole;
  }

  @Override
  public boolean finished() {
    return !choices.isEmpty()
        && choices.values().stream().allMatch(choice -> choice.path("finish_reason").isString());
  }
}
