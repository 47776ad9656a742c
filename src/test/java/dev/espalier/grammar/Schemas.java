package dev.espalier.grammar;

import dev.espalier.chat.Json;
import java.util.Random;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Random JSON schemas of all that can be kept to, and values that are valid under them.
final class Schemas {
  private static final String[] WORDS = {
    "name", "kind", "total price", "größe", "a\"quote", "back\\slash", "ü", "日本", "items", "x"
  };

  private static final String[] TYPES = {
    "object", "array", "string", "number", "integer", "boolean", "null"
  };

  private final Random random;

  Schemas(long seed) {
    random = new Random(seed);
  }

  /// A schema with definitions, one of which contains itself.
  ObjectNode root() {
    var root = schema(3);
    var node = Json.object().put("type", "object");
    var properties = node.putObject("properties");
    properties.set("value", schema(0));
    properties
        .putObject("children")
        .put("type", "array")
        .put("maxItems", 2)
        .putObject("items")
        .put("$ref", "#/$defs/node");
    node.putArray("required").add("value");
    root.putObject("$defs").set("node", node);
    return root;
  }

  private ObjectNode schema(int depth) {
    var schema = Json.object();
    switch (random.nextInt(depth > 0 ? 14 : 9)) {
      case 0 -> schema.put("type", "boolean").put("description", "yes or no");
      case 1 -> strings(schema);
      case 2 -> integers(schema);
      case 3 -> numbers(schema);
      case 4 -> words(schema.putArray("enum"), 1 + random.nextInt(4)).add(7).addNull();
      case 5 -> schema.put("const", WORDS[random.nextInt(WORDS.length)]);
      case 6 -> schema.put("type", "string").put("format", format());
      case 7 -> schema.putArray("type").add("string").add("null");
      case 8 -> schema.put("type", "string");
      case 9, 10 -> object(schema, depth - 1);
      case 11 -> array(schema, depth - 1);
      case 12 ->
          schema.putArray("anyOf").add(schema(depth - 1)).add(schema(depth - 1)).add(schema(0));
      default -> schema.put("$ref", "#/$defs/node");
    }
    boolean untyped = random.nextInt(6) == 0 && !schema.has("exclusiveMinimum");
    if (untyped) schema.remove("type");
    return schema;
  }

  private String format() {
    return new String[] {"date", "time", "date-time", "uuid"}[random.nextInt(4)];
  }

  private void strings(ObjectNode schema) {
    int least = random.nextInt(5);
    schema.put("type", "string").put("minLength", least);
    if (random.nextBoolean()) schema.put("maxLength", least + random.nextInt(200));
  }

  /// The validator reads 1e38 as a long, and fails, where a limit of integers is one.
  private void integers(ObjectNode schema) {
    double low = random.nextInt(3000) - 1500;
    schema.put("type", "integer");
    if (random.nextBoolean()) schema.put("minimum", low);
    if (random.nextBoolean()) schema.put("maximum", low + random.nextInt(5000));
    if (random.nextInt(4) == 0) schema.put("exclusiveMinimum", low - 1);
  }

  private void numbers(ObjectNode schema) {
    int low = random.nextInt(100) - 50;
    schema.put("type", "number");
    if (random.nextBoolean()) schema.put("minimum", low);
    if (random.nextBoolean()) schema.put("maximum", low + random.nextInt(120));
  }

  private void object(ObjectNode schema, int depth) {
    schema.put("type", "object").put("additionalProperties", random.nextBoolean());
    var properties = schema.putObject("properties");
    var required = schema.putArray("required");
    int count = random.nextInt(6);
    for (int i = 0; i < count; i++) {
      var name = WORDS[random.nextInt(WORDS.length)];
      if (properties.has(name)) continue;
      properties.set(name, schema(depth));
      if (random.nextBoolean()) required.add(name);
    }
    if (count == 0 && random.nextBoolean()) schema.set("additionalProperties", schema(0));
  }

  private void array(ObjectNode schema, int depth) {
    int least = random.nextInt(3);
    schema.put("type", "array").put("minItems", least);
    if (random.nextBoolean()) schema.put("maxItems", least + random.nextInt(4));
    if (random.nextInt(4) > 0) schema.set("items", schema(depth));
  }

  private ArrayNode words(ArrayNode array, int count) {
    for (int i = 0; i < count; i++) array.add(WORDS[random.nextInt(WORDS.length)]);
    return array;
  }

  /// A value that is valid under a schema of ours.
  JsonNode value(JsonNode schema, ObjectNode root) {
    return value(schema, root, 4);
  }

  private JsonNode value(JsonNode schema, ObjectNode root, int depth) {
    if (schema.has("$ref")) return value(root.at("/$defs/node"), root, depth - 1);
    if (schema.has("const")) return schema.get("const");
    if (schema.has("enum")) return any(schema.get("enum"));
    if (schema.has("anyOf")) return value(any(schema.get("anyOf")), root, depth);
    var nodes = Json.MAPPER.getNodeFactory();
    return switch (type(schema)) {
      case "boolean" -> nodes.booleanNode(random.nextBoolean());
      case "null" -> nodes.nullNode();
      case "integer" -> {
        long low = schema.path("minimum").asLong(schema.path("maximum").asLong(9) - 20);
        low = Math.max(low, schema.path("exclusiveMinimum").asLong(low - 1) + 1);
        long high = schema.path("maximum").asLong(low + 100_000);
        yield nodes.numberNode(low + (long) (random.nextDouble() * (high - low + 1)));
      }
      case "number" -> {
        double low = schema.path("minimum").asDouble(schema.path("maximum").asDouble(9) - 20);
        double high = schema.path("maximum").asDouble(low + 7);
        yield nodes.numberNode(Math.round(8 * (low + random.nextDouble() * (high - low))) / 8.0);
      }
      case "array" -> {
        var array = Json.array();
        int least = schema.path("minItems").asInt(0);
        int most = Math.min(schema.path("maxItems").asInt(least + 2), depth > 0 ? 9 : least);
        int count = least + random.nextInt(most - least + 1);
        for (int i = 0; i < count; i++) {
          array.add(
              schema.has("items") ? value(schema.get("items"), root, depth - 1) : Json.object());
        }
        yield array;
      }
      case "object" -> {
        var object = Json.object();
        for (var property : schema.path("properties").properties()) {
          boolean required =
              schema
                  .path("required")
                  .valueStream()
                  .anyMatch(name -> name.asString().equals(property.getKey()));
          if (!required && (depth <= 0 || random.nextBoolean())) continue;
          object.set(property.getKey(), value(property.getValue(), root, depth - 1));
        }
        yield object;
      }
      default -> nodes.stringNode(text(schema));
    };
  }

  /// One of the types that a schema allows, and of those without properties or items any.
  private String type(JsonNode schema) {
    var type = schema.path("type");
    if (type.isArray()) return any(type).asString();
    if (type.isString()) return type.asString();
    if (schema.has("properties")) return "object";
    if (schema.has("items")) return "array";
    return TYPES[random.nextInt(TYPES.length)];
  }

  private String text(JsonNode schema) {
    switch (schema.path("format").asString("")) {
      case "date" -> {
        return "2026-11-30";
      }
      case "time" -> {
        return "23:59:09.25Z";
      }
      case "date-time" -> {
        return "2026-02-28T00:10:20+01:00";
      }
      case "uuid" -> {
        return "12345678-9abc-def0-1234-56789abcdef0";
      }
      default -> {}
    }
    int least = schema.path("minLength").asInt(0);
    int length =
        least + random.nextInt(Math.min(30, schema.path("maxLength").asInt(99) - least + 1));
    var text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.appendCodePoint("abc de,\"\\\n\té日😀{}:".codePoints().toArray()[random.nextInt(17)]);
    }
    return text.toString();
  }

  private JsonNode any(JsonNode array) {
    return array.get(random.nextInt(array.size()));
  }
}
