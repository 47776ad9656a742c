package dev.espalier.grammar;

import static dev.espalier.grammar.Rule.choice;
import static dev.espalier.grammar.Rule.sequence;
import static dev.espalier.grammar.Rule.text;

import dev.espalier.chat.SchemaTypes;
import dev.espalier.grammar.Rule.OneOf;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Arguments as the built-in model writes them: a line each, in which a string stands unquoted and
/// any other value as JSON.
final class LineRules {
  /// A character of a string whose length is limited.
  static final Rule CHARACTER =
      choice(
          new OneOf(ByteSet.range(' ', 127).without(ByteSet.of("\\")).or(ByteSet.of("\t"))),
          JsonRules.BEYOND_ASCII);

  /// A character, or one that is escaped because a line cannot have it.
  private static final Rule ESCAPED = choice(CHARACTER, Rule.anyOf("\\n", "\\r", "\\\\"));

  private static final Rule FREE = Rule.times(CHARACTER, 0, Rule.ENDLESS);
  private static final Rule STRING =
      sequence(FREE, Rule.times(sequence(ESCAPED, FREE), 0, Rule.ENDLESS));

  private final SchemaRules schemas;
  private final JsonNode root;

  /// @param root the schema of all arguments
  LineRules(SchemaRules schemas, JsonNode root) {
    this.schemas = schemas;
    this.root = root;
  }

  /// The lines of an object's properties, in the schema's order.
  ///
  /// @throws GrammarException if the schema cannot be kept to
  Rule arguments() {
    if (!(root instanceof ObjectNode object)) return schemas.fail("must be an object");
    var keys = new Keywords(object, "#");
    if (!keys.get("type").asString("object").equals("object")) return schemas.fail("is no object");
    keys.get("additionalProperties"); // none are written
    var required = new HashSet<String>();
    for (var name : keys.get("required")) required.add(name.asString(""));
    var lines = new ArrayList<Rule>();
    for (var property : keys.get("properties").properties()) {
      var name = property.getKey();
      if (name.contains("\n") || name.contains(": ")) return schemas.fail("has a name for no line");
      var line =
          sequence(
              text("\n " + name + ": "),
              value(property.getValue(), "#/properties/" + name, Set.of()));
      lines.add(required.remove(name) ? line : Rule.optional(line));
    }
    keys.nothingElse();
    if (!required.isEmpty()) return schemas.fail("requires what has no schema: " + required);
    return schemas.satisfiable(new Rule.Sequence(lines));
  }

  /// A value that reads back as what it is by the schema: see the line syntax's parser. What may be
  /// a string is written as one, or as null.
  ///
  /// @param open references that lead here
  private Rule value(JsonNode schema, String where, Set<String> open) {
    var types = SchemaTypes.of(schema, root);
    if (!types.contains("string")) return schemas.schema(schema, where, Set.of());
    var keys = new Keywords((ObjectNode) schema, where);
    if (keys.has("$ref")) {
      var name = keys.get("$ref").asString("");
      keys.nothingElse();
      if (open.contains(name)) throw SchemaRules.at(where, "refers to itself by way of " + name);
      var inside = new HashSet<>(open);
      inside.add(name);
      return value(SchemaTypes.target(name, root), name, inside);
    }
    for (var union : SchemaTypes.UNIONS) {
      if (keys.has(union)) return choice(options(union, keys, open));
    }
    keys.get("type");
    var strings = strings(keys, types.contains("null"));
    keys.nothingElse();
    return strings;
  }

  /// The alternatives that are strings, or null.
  private List<Rule> options(String union, Keywords keys, Set<String> open) {
    var alternatives = SchemaRules.alternatives(union, keys);
    var options = new ArrayList<Rule>();
    for (int i = 0; i < alternatives.size(); i++) {
      var types = SchemaTypes.of(alternatives.get(i), root);
      if (!types.contains("string") && !types.equals(Set.of("null"))) continue;
      options.add(value(alternatives.get(i), keys.where() + "/" + union + "/" + i, open));
    }
    return options;
  }

  private static Rule strings(Keywords keys, boolean nullable) {
    var options = new ArrayList<Rule>();
    if (keys.has("const") || keys.has("enum")) {
      var listed = keys.has("const") ? List.of(keys.get("const")) : keys.array("enum");
      for (var value : listed) {
        if (value.isString()) options.add(text(escaped(value.asString())));
        else if (value.isNull() && nullable) options.add(text("null"));
      }
      if (options.isEmpty()) throw SchemaRules.at(keys.where(), "has no value of its type");
      return choice(options);
    }
    boolean limited = keys.has("minLength") || keys.has("maxLength") || keys.has("format");
    if (nullable) options.add(text("null"));
    options.add(limited ? StringRules.content(keys, CHARACTER) : STRING);
    return choice(options);
  }

  private static String escaped(String value) {
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r");
  }
}
