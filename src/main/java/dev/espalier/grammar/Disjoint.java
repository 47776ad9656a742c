package dev.espalier.grammar;

import java.util.HashSet;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/// Whether the schemas of a `oneOf` can be told apart, so that what fits one of them fits no other.
final class Disjoint {
  private Disjoint() {}

  /// @throws GrammarException if some two cannot be told apart
  static void check(ArrayNode schemas, String where) {
    for (int i = 0; i < schemas.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (apart(schemas.get(i), schemas.get(j))) continue;
        throw SchemaRules.at(
            where,
            "has alternatives %d and %d that may both fit: give each its own type, or a required property with its own const; or use anyOf"
                .formatted(j, i));
      }
    }
  }

  private static boolean apart(JsonNode one, JsonNode other) {
    var values = values(one);
    values.retainAll(values(other));
    if (!values(one).isEmpty() && !values(other).isEmpty()) return values.isEmpty();
    var types = types(one);
    types.retainAll(types(other));
    if (types.isEmpty()) return !types(one).isEmpty() && !types(other).isEmpty();
    for (var name : one.path("required")) {
      var property = name.asString("");
      boolean both = other.path("required").valueStream().anyMatch(name::equals);
      if (!both) continue;
      var mine = one.path("properties").path(property);
      var theirs = other.path("properties").path(property);
      if (!values(mine).isEmpty() && !values(theirs).isEmpty() && apart(mine, theirs)) return true;
    }
    return false;
  }

  /// All that a schema allows, where it lists them.
  private static Set<JsonNode> values(JsonNode schema) {
    var values = new HashSet<JsonNode>();
    if (schema.has("const")) values.add(schema.get("const"));
    for (var value : schema.path("enum")) values.add(value);
    return values;
  }

  /// The types that it allows; none where it does not say.
  private static Set<String> types(JsonNode schema) {
    var types = new HashSet<>(Keywords.types(schema));
    if (types.contains("number")) types.add("integer");
    return types;
  }
}
