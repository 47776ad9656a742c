package dev.espalier.grammar;

import static dev.espalier.grammar.Rule.choice;
import static dev.espalier.grammar.Rule.sequence;
import static dev.espalier.grammar.Rule.text;

import dev.espalier.chat.Json;
import dev.espalier.chat.SchemaTypes;
import dev.espalier.grammar.Rule.Choice;
import dev.espalier.grammar.Rule.Reference;
import dev.espalier.grammar.Rule.Repeat;
import dev.espalier.grammar.Rule.Sequence;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// JSON schemas (draft 2020-12, as far as OpenAI's structured outputs go and a little beyond) as
/// rules whose every text is valid.
///
/// Objects have their properties in the schema's order and no others, unless it names none. A
/// keyword that cannot be kept to is an error, never ignored.
final class SchemaRules {
  private static final Set<String> ALL_TYPES =
      Set.of("object", "array", "string", "number", "integer", "boolean", "null");

  private final JsonNode root;
  private final Spacing spacing;
  private final String scope;
  private final String any;
  private final Map<String, Rule> rules = new HashMap<>();
  private final Set<String> known = new HashSet<>(); // references that some text satisfies

  /// @param root where `$ref` points into
  /// @param scope what tells its rules from those of other schemas
  SchemaRules(JsonNode root, Spacing spacing, String scope) {
    this.root = root;
    this.spacing = spacing;
    this.scope = scope;
    any = JsonRules.anyName(spacing);
    rules.putAll(JsonRules.any(spacing));
  }

  /// @throws GrammarException that says so of the whole schema
  Rule fail(String what) {
    throw at("#", what);
  }

  /// The rules that references name.
  Map<String, Rule> rules() {
    return rules;
  }

  /// What the whole schema allows.
  ///
  /// @throws GrammarException that names the place and the keyword which cannot be kept to
  Rule root() {
    return satisfiable(schema(root, "#", Set.of()));
  }

  /// @throws GrammarException if there is no text that a rule of the whole schema allows
  Rule satisfiable(Rule rule) {
    return possible(rule, new HashSet<>()) ? rule : fail("no finite value satisfies it");
  }

  /// @param open references that lead here without a text between
  Rule schema(JsonNode schema, String where, Set<String> open) {
    if (schema.isBoolean() && schema.asBoolean()) return new Reference(any);
    if (!(schema instanceof ObjectNode object)) throw at(where, "must be an object, or true");
    var keys = new Keywords(object, where);
    if (keys.has("$ref")) return reference(keys, open);
    if (keys.has("const")) return literal(List.of(keys.get("const")), keys);
    if (keys.has("enum")) return literal(keys.array("enum").valueStream().toList(), keys);
    for (var union : SchemaTypes.UNIONS) {
      if (keys.has(union)) return union(union, keys, open);
    }
    var types = types(keys);
    if (keys.onlyTypes() && types.containsAll(ALL_TYPES)) return new Reference(any);
    var options = new ArrayList<Rule>();
    for (var type : types) options.add(typed(type, keys));
    keys.nothingElse();
    return choice(options);
  }

  private List<String> types(Keywords keys) {
    var types = new ArrayList<>(keys.types());
    if (!keys.has("type")) {
      if (keys.has("properties") || keys.has("required")) types.add("object");
      else if (keys.has("items")) types.add("array");
      else types.addAll(ALL_TYPES);
    }
    for (var type : types) {
      if (!ALL_TYPES.contains(type))
        throw at(keys.where(), "has the unknown type \"" + type + "\"");
    }
    if (types.isEmpty()) throw at(keys.where(), "has no type");
    return types;
  }

  private Rule typed(String type, Keywords keys) {
    return switch (type) {
      case "object" -> object(keys);
      case "array" -> array(keys);
      case "string" -> StringRules.of(keys);
      case "integer" -> NumberRules.integer(keys);
      case "number" -> NumberRules.number(keys);
      case "boolean" -> JsonRules.BOOLEAN;
      default -> text("null");
    };
  }

  private Rule reference(Keywords keys, Set<String> open) {
    var name = keys.get("$ref").asString("");
    keys.nothingElse();
    if (open.contains(name)) throw at(keys.where(), "refers to itself by way of " + name);
    var scoped = scope + " " + name;
    if (!rules.containsKey(scoped)) {
      if (!name.equals("#") && !name.startsWith("#/")) {
        throw at(keys.where(), "refers to %s, and only \"#/…\" can be followed".formatted(name));
      }
      var target = SchemaTypes.target(name, root);
      if (target.isMissingNode())
        throw at(keys.where(), "refers to " + name + ", which is missing");
      rules.put(scoped, Rule.EMPTY); // until it is known
      var inside = new HashSet<>(open);
      inside.add(name);
      rules.put(scoped, schema(target, name, inside));
    }
    return new Reference(scoped);
  }

  private Rule literal(List<JsonNode> values, Keywords keys) {
    var named = keys.get("type");
    keys.nothingElse();
    var options = new ArrayList<Rule>();
    for (var value : values) {
      if (named.isMissingNode() || isOf(named, value)) options.add(text(Json.write(value)));
    }
    if (options.isEmpty()) throw at(keys.where(), "has no value of its type");
    return choice(options);
  }

  private static boolean isOf(JsonNode types, JsonNode value) {
    if (types.isArray()) return types.valueStream().anyMatch(type -> isOf(type, value));
    return switch (types.asString("")) {
      case "object" -> value.isObject();
      case "array" -> value.isArray();
      case "string" -> value.isString();
      case "number" -> value.isNumber();
      case "integer" -> value.isIntegralNumber();
      case "boolean" -> value.isBoolean();
      default -> value.isNull();
    };
  }

  private Rule union(String keyword, Keywords keys, Set<String> open) {
    var schemas = alternatives(keyword, keys);
    var options = new ArrayList<Rule>();
    for (int i = 0; i < schemas.size(); i++) {
      options.add(schema(schemas.get(i), keys.where() + "/" + keyword + "/" + i, open));
    }
    return choice(options);
  }

  /// The schemas of a union.
  static ArrayNode alternatives(String union, Keywords keys) {
    var schemas = keys.array(union);
    keys.nothingElse();
    var where = keys.where() + "/" + union;
    if (schemas.isEmpty()) throw at(where, "is empty");
    if (union.equals("allOf") && schemas.size() > 1) throw at(where, "has more than one schema");
    if (union.equals("oneOf")) Disjoint.check(schemas, where);
    return schemas;
  }

  private Rule array(Keywords keys) {
    int least = keys.count("minItems", 0);
    int most = keys.count("maxItems", Rule.ENDLESS);
    var items = keys.get("items");
    if (items.isBoolean() && !items.asBoolean()) most = 0;
    if (most < least) throw at(keys.where(), "has minItems above maxItems");
    var one =
        most == 0 || items.isMissingNode()
            ? new Reference(any)
            : schema(items, keys.where() + "/items", Set.of());
    return JsonRules.list("[", one, "]", least, most, spacing);
  }

  private Rule object(Keywords keys) {
    var required = new HashSet<String>();
    if (keys.has("required"))
      for (var name : keys.array("required")) required.add(name.asString(""));
    var properties = keys.get("properties");
    var others = keys.get("additionalProperties");
    if (properties.isEmpty()) {
      if (!required.isEmpty()) throw at(keys.where(), "requires what has no schema: " + required);
      if (others.isBoolean() && !others.asBoolean()) {
        return sequence(text("{"), spacing.line(), text("}"));
      }
      if (others.isMissingNode() || others.isBoolean()) return JsonRules.object(spacing);
      var value = schema(others, keys.where() + "/additionalProperties", Set.of());
      var member = JsonRules.member(JsonRules.STRING, value, spacing);
      return JsonRules.list("{", member, "}", 0, Rule.ENDLESS, spacing);
    }
    var members = new ArrayList<Member>();
    for (var property : properties.properties()) {
      var name = property.getKey();
      var value = schema(property.getValue(), keys.where() + "/properties/" + name, Set.of());
      var key = text(Json.write(Json.MAPPER.getNodeFactory().stringNode(name)));
      members.add(new Member(JsonRules.member(key, value, spacing), required.remove(name)));
    }
    if (!required.isEmpty()) throw at(keys.where(), "requires what has no schema: " + required);
    return sequence(
        text("{"),
        choice(
            sequence(spacing.line(), first(members, 0), spacing.line()),
            members.stream().anyMatch(Member::required) ? NOTHING : spacing.line()),
        text("}"));
  }

  /// A property of an object.
  private record Member(Rule rule, boolean required) {}

  /// No text at all, not even the empty one.
  private static final Rule NOTHING = new Choice(List.of());

  /// The members from one on, at least one of them, the first without a comma before it.
  private Rule first(List<Member> members, int from) {
    if (from == members.size()) return NOTHING;
    var member = members.get(from);
    var with = sequence(member.rule(), rest(members, from + 1));
    return member.required() ? with : choice(with, first(members, from + 1));
  }

  /// The members from one on, each with a comma before it.
  private Rule rest(List<Member> members, int from) {
    var parts = new ArrayList<Rule>();
    for (var member : members.subList(from, members.size())) {
      var one = sequence(text(","), spacing.line(), member.rule());
      parts.add(member.required() ? one : Rule.optional(one));
    }
    return new Sequence(parts);
  }

  /// Whether there is any text at all that a rule allows.
  ///
  /// @param open references that are being looked into: what needs itself is not possible
  private boolean possible(Rule rule, Set<String> open) {
    return switch (rule) {
      case Sequence(var parts) -> parts.stream().allMatch(part -> possible(part, open));
      case Choice(var options) -> options.stream().anyMatch(option -> possible(option, open));
      case Repeat(var one, int least, _) -> least == 0 || possible(one, open);
      case Reference(var name) -> {
        if (known.contains(name)) yield true;
        if (!open.add(name)) yield false;
        boolean is = possible(rules.getOrDefault(name, Rule.EMPTY), open);
        open.remove(name);
        if (is) known.add(name);
        yield is;
      }
      case Rule.OneOf _, Rule.Literal _, Rule.Token _ -> true;
    };
  }

  static GrammarException at(String where, String what) {
    return new GrammarException("the JSON schema at %s %s".formatted(where, what));
  }
}
