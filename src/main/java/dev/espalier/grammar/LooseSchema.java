package dev.espalier.grammar;

import dev.espalier.chat.Json;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The schema of a tool's arguments without the keywords that cannot be kept to, for tools that are
/// not `strict`.
///
/// What is left are the properties' names, which of them are required, and of each property the
/// keywords that can be kept to, its type and enumeration before all others.
final class LooseSchema {
  private final JsonNode schema;
  private final Consumer<ObjectNode> check;

  /// @param check throws a [GrammarException] of a schema that cannot be kept to
  LooseSchema(JsonNode schema, Consumer<ObjectNode> check) {
    this.schema = schema;
    this.check = check;
  }

  /// What can be kept to.
  ObjectNode kept() {
    var kept = empty();
    var properties = kept.putObject("properties");
    var required = kept.putArray("required");
    var asked = required();
    for (var name : names(asked)) {
      if (!fits(name, Json.object())) continue; // the syntax cannot write its name
      properties.set(name, property(name, schema.path("properties").path(name)));
      if (asked.contains(name)) required.add(name);
    }
    return kept;
  }

  /// No properties yet, but all that references may lead to.
  private ObjectNode empty() {
    var empty = Json.object().put("type", "object");
    for (var keyword : List.of("$defs", "definitions")) {
      if (schema.has(keyword)) empty.set(keyword, schema.get(keyword));
    }
    return empty;
  }

  private Set<String> required() {
    var required = new LinkedHashSet<String>();
    for (var name : schema.path("required")) {
      if (name.isString()) required.add(name.asString());
    }
    return required;
  }

  /// All names in the schema's order, then those that are required without a schema.
  private List<String> names(Set<String> required) {
    var names = new LinkedHashSet<String>();
    for (var property : schema.path("properties").properties()) names.add(property.getKey());
    names.addAll(required);
    return List.copyOf(names);
  }

  private JsonNode property(String name, JsonNode property) {
    if (property.isObject() && fits(name, property)) return property;
    var kept = Json.object();
    for (var keyword : keywords(property)) {
      var more = kept.deepCopy();
      more.set(keyword, property.get(keyword));
      if (fits(name, more)) kept = more;
    }
    return kept;
  }

  private static Set<String> keywords(JsonNode property) {
    var keywords = new LinkedHashSet<String>();
    for (var first : List.of("type", "enum")) if (property.has(first)) keywords.add(first);
    for (var keyword : property.properties()) keywords.add(keyword.getKey());
    return keywords;
  }

  /// Whether an object with this property can be kept to.
  private boolean fits(String name, JsonNode property) {
    var one = empty();
    one.putObject("properties").set(name, property);
    one.putArray("required").add(name);
    try {
      check.accept(one);
      return true;
    } catch (GrammarException e) {
      return false;
    }
  }
}
