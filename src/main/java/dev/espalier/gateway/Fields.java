package dev.espalier.gateway;

import dev.espalier.chat.Json;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Reads a JSON object strictly: wrong types and fields that nobody asked for are errors that name
/// the field.
final class Fields {
  private final ObjectNode json;
  private final String where;
  private final Set<String> known = new HashSet<>();

  private Fields(ObjectNode json, String where) {
    this.json = json;
    this.where = where;
  }

  /// @param where what the object is, for messages
  /// @throws IllegalArgumentException if it is no object
  static Fields of(JsonNode json, String where) {
    if (json instanceof ObjectNode object) return new Fields(object, where);
    throw new IllegalArgumentException(where + " must be a JSON object");
  }

  static Fields parse(byte[] text, String where) {
    try {
      return of(Json.MAPPER.readTree(text), where);
    } catch (JacksonException e) {
      throw new IllegalArgumentException(where + " is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  /// Null if the field is absent or null.
  @Nullable JsonNode get(String name) {
    known.add(name);
    var value = json.get(name);
    return value == null || value.isNull() ? null : value;
  }

  @Nullable String text(String name) {
    var value = checked(name, JsonNode::isString, "a text");
    return value == null ? null : value.asString();
  }

  String needText(String name) {
    var value = text(name);
    if (value == null || value.isBlank()) {
      throw new IllegalArgumentException("%s needs \"%s\", a text".formatted(where, name));
    }
    return value;
  }

  @Nullable Double number(String name) {
    var value = checked(name, JsonNode::isNumber, "a number");
    return value == null ? null : value.asDouble();
  }

  double number(String name, double otherwise) {
    var value = number(name);
    return value == null ? otherwise : value;
  }

  int integer(String name, int otherwise) {
    var value = checked(name, JsonNode::isInt, "a whole number");
    return value == null ? otherwise : value.asInt();
  }

  boolean flag(String name, boolean otherwise) {
    var value = checked(name, JsonNode::isBoolean, "true or false");
    return value == null ? otherwise : value.asBoolean();
  }

  List<String> texts(String name) {
    var value = checked(name, JsonNode::isArray, "a list of texts");
    var texts = new ArrayList<String>();
    if (value == null) return texts;
    for (var element : value) {
      if (!element.isString()) {
        throw new IllegalArgumentException(
            "%s: \"%s\" must be a list of texts".formatted(where, name));
      }
      texts.add(element.asString());
    }
    return texts;
  }

  private @Nullable JsonNode checked(String name, Predicate<JsonNode> type, String says) {
    var value = get(name);
    if (value == null || type.test(value)) return value;
    throw new IllegalArgumentException("%s: \"%s\" must be %s".formatted(where, name, says));
  }

  /// @throws IllegalArgumentException if there is a field that was never asked for
  void noMore() {
    for (var field : json.properties()) {
      if (!known.contains(field.getKey())) {
        throw new IllegalArgumentException(
            "%s: \"%s\" is not known; known are %s"
                .formatted(
                    where, field.getKey(), String.join(", ", known.stream().sorted().toList())));
      }
    }
  }
}
