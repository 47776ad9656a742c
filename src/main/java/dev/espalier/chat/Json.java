package dev.espalier.chat;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The one JSON mapper.
public final class Json {
  /// Shared and thread-safe.
  public static final JsonMapper MAPPER = JsonMapper.builder().build();

  private Json() {}

  /// Parses one JSON document.
  ///
  /// @throws tools.jackson.core.JacksonException if it is not JSON
  public static JsonNode parse(String text) {
    return MAPPER.readTree(text);
  }

  public static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  public static ArrayNode array() {
    return MAPPER.createArrayNode();
  }

  /// Compact JSON text of a node or a record.
  public static String write(Object value) {
    return MAPPER.writeValueAsString(value);
  }
}
