package dev.espalier.grammar;

import static dev.espalier.grammar.Rule.choice;
import static dev.espalier.grammar.Rule.sequence;
import static dev.espalier.grammar.Rule.text;

import dev.espalier.grammar.Rule.OneOf;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
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

  LineRules(SchemaRules schemas) {
    this.schemas = schemas;
  }

  /// The lines of an object's properties, in the schema's order.
  ///
  /// @throws GrammarException if the schema cannot be kept to
  Rule arguments(JsonNode schema) {
    if (!(schema instanceof ObjectNode object)) return schemas.fail("must be an object");
    var keys = new Keywords(object, "#");
    if (!keys.get("type").asString("object").equals("object")) return schemas.fail("is no object");
    keys.get("additionalProperties"); // none are written
    var required = new HashSet<String>();
    for (var name : keys.get("required")) required.add(name.asString(""));
    var lines = new ArrayList<Rule>();
    for (var property : keys.get("properties").properties()) {
      var name = property.getKey();
      if (name.contains("\n") || name.contains(": ")) return schemas.fail("has a name for no line");
      var line = sequence(text("\n " + name + ": "), value(property.getValue(), name));
      lines.add(required.remove(name) ? line : Rule.optional(line));
    }
    keys.nothingElse();
    if (!required.isEmpty()) return schemas.fail("requires what has no schema: " + required);
    return new Rule.Sequence(lines);
  }

  /// A value that reads back as what it is by the schema: see the line syntax's parser.
  private Rule value(JsonNode schema, String name) {
    var where = "#/properties/" + name;
    var types = Keywords.types(schema);
    boolean enumeration =
        types.isEmpty()
            && schema.get("enum") instanceof ArrayNode values
            && values.valueStream().allMatch(JsonNode::isString);
    if (!types.contains("string") && !enumeration) {
      return schemas.schema(schema, where, Set.of());
    }
    var keys = new Keywords((ObjectNode) schema, where);
    keys.get("type");
    var strings = strings(keys);
    keys.nothingElse();
    return types.contains("null") ? choice(text("null"), strings) : strings;
  }

  private Rule strings(Keywords keys) {
    var values = new ArrayList<JsonNode>();
    if (keys.has("const")) values.add(keys.get("const"));
    else for (var value : keys.get("enum")) values.add(value);
    if (!values.isEmpty()) {
      var options = new ArrayList<Rule>();
      for (var value : values) {
        if (value.isString()) options.add(text(escaped(value.asString())));
      }
      if (options.isEmpty()) throw SchemaRules.at(keys.where(), "has no value of its type");
      return choice(options);
    }
    boolean limited = keys.has("minLength") || keys.has("maxLength") || keys.has("format");
    return limited ? StringRules.content(keys, CHARACTER) : STRING;
  }

  private static String escaped(String value) {
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r");
  }
}
