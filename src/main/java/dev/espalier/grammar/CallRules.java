package dev.espalier.grammar;

import static dev.espalier.grammar.Rule.choice;
import static dev.espalier.grammar.Rule.sequence;
import static dev.espalier.grammar.Rule.text;

import dev.espalier.chat.Json;
import dev.espalier.chat.Tokenizer;
import dev.espalier.chat.ToolCallSyntax;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Tool calls in the syntax of a model.
final class CallRules {
  private final ToolCallSyntax syntax;
  private final Tokenizer tokenizer;
  private final Map<String, Rule> rules;

  /// @param rules takes those that the calls refer to
  CallRules(ToolCallSyntax syntax, Tokenizer tokenizer, Map<String, Rule> rules) {
    this.syntax = syntax;
    this.tokenizer = tokenizer;
    this.rules = rules;
  }

  /// A call of one of these tools.
  ///
  /// @param most how many calls there may be
  /// @throws GrammarException if a strict tool's schema cannot be kept to
  Rule calls(List<ObjectNode> tools, int most) {
    var each = new ArrayList<Rule>();
    for (var tool : tools) each.add(call(tool));
    var one = choice(each);
    int more = most == Rule.ENDLESS ? most : most - 1;
    return switch (syntax) {
      case LINES -> Rule.times(sequence(marker(), one), 1, most);
      case HERMES -> sequence(hermes(one), Rule.times(sequence(text("\n"), hermes(one)), 0, more));
      case LLAMA3 -> sequence(one, Rule.times(sequence(text("; "), one), 0, more));
      case MISTRAL ->
          sequence(
              marker(), text("["), one, Rule.times(sequence(text(", "), one), 0, more), text("]"));
      case NONE ->
          throw new GrammarException(
              "the model's chat template has no syntax for tool calls: none can be forced");
    };
  }

  private Rule hermes(Rule call) {
    return sequence(marker(), text("\n"), call, text("\n"), token(syntax.end()));
  }

  /// What begins a call.
  private Rule marker() {
    return token(syntax.marker());
  }

  private Rule token(String text) {
    var id = tokenizer.id(text);
    return id == null ? text(text) : new Rule.Token(id);
  }

  private Rule call(ObjectNode function) {
    var name = function.path("name").asString("");
    boolean strict = function.path("strict").asBoolean(false);
    JsonNode schema = function.has("parameters") ? function.get("parameters") : Json.object();
    try {
      return call(name, schema);
    } catch (GrammarException e) {
      if (strict) {
        throw new GrammarException("tool \"%s\": %s".formatted(name, e.getMessage()));
      }
      return call(name, new LooseSchema(schema, one -> call(name, one)).kept());
    }
  }

  private Rule call(String name, JsonNode schema) {
    var place = "tool " + name;
    if (syntax == ToolCallSyntax.LINES) {
      var schemas = new SchemaRules(schema, Spacing.LINE, place);
      var rule = sequence(text(" " + name), new LineRules(schemas, schema).arguments());
      rules.putAll(schemas.rules());
      return rule;
    }
    var schemas = new SchemaRules(schema, Spacing.FREE, place);
    var arguments = schemas.root();
    rules.putAll(schemas.rules());
    var field = syntax == ToolCallSyntax.LLAMA3 ? "parameters" : "arguments";
    var quoted = Json.write(Json.MAPPER.getNodeFactory().stringNode(name));
    return sequence(text("{\"name\": " + quoted + ", \"" + field + "\": "), arguments, text("}"));
  }
}
