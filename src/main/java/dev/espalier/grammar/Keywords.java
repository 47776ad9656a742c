package dev.espalier.grammar;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The keywords of one schema; what was not asked for in the end is an error.
final class Keywords {
  private static final Set<String> NOTES =
      Set.of(
          "title",
          "description",
          "default",
          "examples",
          "$schema",
          "$id",
          "$comment",
          "$defs",
          "definitions",
          "deprecated",
          "readOnly",
          "writeOnly");

  private final ObjectNode schema;
  private final String where;
  private final Set<String> known = new HashSet<>(NOTES);

  Keywords(ObjectNode schema, String where) {
    this.schema = schema;
    this.where = where;
  }

  /// The types that a schema names, in its order; none where it names none.
  static List<String> types(JsonNode schema) {
    var named = schema.path("type");
    if (named.isString()) return List.of(named.asString());
    return named.valueStream().map(type -> type.asString("")).toList();
  }

  List<String> types() {
    known.add("type");
    return types(schema);
  }

  String where() {
    return where;
  }

  boolean has(String keyword) {
    return schema.has(keyword);
  }

  /// A missing node where there is none.
  JsonNode get(String keyword) {
    known.add(keyword);
    return schema.path(keyword);
  }

  ArrayNode array(String keyword) {
    if (get(keyword) instanceof ArrayNode array) return array;
    throw SchemaRules.at(where, "has a \"%s\" that is no array".formatted(keyword));
  }

  int count(String keyword, int otherwise) {
    var value = get(keyword);
    if (value.isMissingNode()) return otherwise;
    if (value.isInt() && value.asInt() >= 0) return value.asInt();
    throw SchemaRules.at(where, "has a \"%s\" that is no count".formatted(keyword));
  }

  double number(String keyword, double otherwise) {
    var value = get(keyword);
    if (value.isMissingNode()) return otherwise;
    if (value.isNumber()) return value.asDouble();
    throw SchemaRules.at(where, "has a \"%s\" that is no number".formatted(keyword));
  }

  /// Whether there is nothing beside types that limits a value.
  boolean onlyTypes() {
    for (var property : schema.properties()) {
      var keyword = property.getKey();
      if (!keyword.equals("type") && !NOTES.contains(keyword)) return false;
    }
    return true;
  }

  void nothingElse() {
    for (var property : schema.properties()) {
      if (!known.contains(property.getKey())) throw refused(property.getKey());
    }
  }

  /// Says of a keyword that it cannot be kept to.
  GrammarException refused(String keyword) {
    return SchemaRules.at(where, "has \"%s\", which cannot be kept to here".formatted(keyword));
  }
}
