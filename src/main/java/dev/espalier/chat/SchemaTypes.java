package dev.espalier.chat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// Which types a JSON schema's values may have, as far as it says so.
public final class SchemaTypes {
  /// Keywords whose value is a list of schemas.
  public static final List<String> UNIONS = List.of("anyOf", "oneOf", "allOf");

  private SchemaTypes() {}

  /// The types that a schema names, or that its alternatives or its listed values have; none where
  /// it says nothing of them.
  ///
  /// @param root that references point into
  public static Set<String> of(JsonNode schema, JsonNode root) {
    var types = new HashSet<String>();
    add(schema, root, types, new HashSet<>());
    return types;
  }

  /// What a reference points to.
  ///
  /// @param reference `#` or `#/…`
  /// @return a missing node where there is nothing
  public static JsonNode target(String reference, JsonNode root) {
    return root.at(reference.substring(1));
  }

  private static void add(JsonNode schema, JsonNode root, Set<String> types, Set<String> open) {
    var reference = schema.path("$ref").asString("");
    if (reference.startsWith("#") && open.add(reference)) {
      add(target(reference, root), root, types, open);
    }
    var named = schema.path("type");
    if (named.isString()) types.add(named.asString());
    for (var type : named) types.add(type.asString(""));
    for (var union : UNIONS) {
      for (var one : schema.path(union)) add(one, root, types, open);
    }
    if (!named.isMissingNode()) return;
    for (var value : schema.path("enum")) types.add(of(value));
    if (schema.has("const")) types.add(of(schema.path("const")));
  }

  private static String of(JsonNode value) {
    return switch (value.getNodeType()) {
      case STRING -> "string";
      case BOOLEAN -> "boolean";
      case NULL -> "null";
      case ARRAY -> "array";
      case NUMBER -> value.isIntegralNumber() ? "integer" : "number";
      default -> "object";
    };
  }
}
