package dev.espalier.grammar;

import static dev.espalier.grammar.Rule.choice;
import static dev.espalier.grammar.Rule.sequence;
import static dev.espalier.grammar.Rule.text;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatFormat;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.chat.ToolCallSyntax;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What requests to a model limit its answers to: `response_format`, `tool_choice`, and tools that
/// are `strict`. Compiled once and kept while they are asked for.
public final class Grammars {
  private static final int KEPT = 64;

  private final ChatFormat format;
  private @Nullable Vocabulary vocabulary; // when first needed
  private final Map<JsonNode, Grammar> kept =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<JsonNode, Grammar> eldest) {
          return size() > KEPT;
        }
      };

  /// @param format of the model
  public Grammars(ChatFormat format) {
    this.format = format;
  }

  /// What limits the answer to a request; null if nothing does.
  ///
  /// @throws ChatException with status 400 if it is something that cannot be kept to
  public @Nullable Grammar of(ChatRequest request) {
    var asked = Asked.by(request);
    if (asked.free()) return null;
    var key = Json.object();
    for (var field : List.of("response_format", "tool_choice", "tools", "parallel_tool_calls")) {
      if (request.json().has(field)) key.set(field, request.json().get(field));
    }
    synchronized (kept) {
      var known = kept.get(key);
      if (known != null) return known;
    }
    try {
      var grammar = compile(asked);
      synchronized (kept) {
        kept.put(key, grammar);
      }
      return grammar;
    } catch (GrammarException e) {
      throw new ChatException(400, String.valueOf(e.getMessage()), e);
    }
  }

  private Grammar compile(Asked asked) {
    var rules = new HashMap<String, Rule>();
    var options = new ArrayList<Rule>();
    if (asked.mayAnswer()) options.add(answer(asked, rules));
    if (asked.mayCall()) {
      var calls = new CallRules(format.syntax(), format.tokenizer(), rules);
      var rule = calls.calls(asked.tools(), asked.mostCalls());
      boolean afterText = asked.mayAnswer() && asked.schema() == null;
      boolean alone = format.syntax() == ToolCallSyntax.LLAMA3; // no text may stand before it
      options.add(afterText && !alone ? sequence(freeText(), rule) : rule);
    }
    return new Grammar(choice(options), rules, vocabulary());
  }

  private synchronized Vocabulary vocabulary() {
    if (vocabulary == null) {
      var markers = List.of(format.syntax().marker(), format.syntax().end());
      vocabulary = new Vocabulary(format.tokenizer(), format.stops(), markers);
    }
    return vocabulary;
  }

  private Rule freeText() {
    var syntax = format.syntax();
    return FreeText.of(syntax, format.tokenizer().id(syntax.marker()) != null);
  }

  private Rule answer(Asked asked, Map<String, Rule> rules) {
    if (asked.schema() == null) return freeText();
    var schemas = new SchemaRules(asked.schema(), Spacing.FREE, "response_format");
    var rule = schemas.root();
    rules.putAll(schemas.rules());
    // the built-in model's texts begin with a space
    return format.syntax() == ToolCallSyntax.LINES ? sequence(text(" "), rule) : rule;
  }

  /// What a request asks for.
  ///
  /// @param schema of the answer; null for free text
  /// @param tools that may be called
  /// @param strict whether calls must be right
  /// @param mayAnswer whether it may be answered without a call
  private record Asked(
      @Nullable JsonNode schema,
      List<ObjectNode> tools,
      boolean strict,
      boolean mayAnswer,
      int mostCalls) {
    boolean free() {
      return schema == null && !strict && mayAnswer;
    }

    boolean mayCall() {
      return !tools.isEmpty();
    }

    static Asked by(ChatRequest request) {
      var json = request.json();
      var tools = new ArrayList<ObjectNode>();
      for (var tool : json.path("tools")) {
        if ((tool.has("function") ? tool.get("function") : tool) instanceof ObjectNode function) {
          tools.add(function);
        }
      }
      boolean strict = tools.stream().anyMatch(tool -> tool.path("strict").asBoolean(false));
      int most = request.mostCalls();
      var schema = schema(json.path("response_format"));
      var choice = json.path("tool_choice");
      var name = choice.path("function").path("name").asString("");
      if (!name.isEmpty()) {
        var named = tools.stream().filter(it -> it.path("name").asString("").equals(name)).toList();
        if (named.isEmpty()) {
          throw new ChatException(
              400, "tool_choice names \"%s\", which is no tool".formatted(name));
        }
        return new Asked(null, named, true, false, 1);
      }
      return switch (choice.isObject() ? "an object" : choice.asString("auto")) {
        case "auto" -> new Asked(schema, tools, strict, true, most);
        case "none" -> new Asked(schema, List.of(), !tools.isEmpty(), true, 1);
        case "required" -> {
          if (tools.isEmpty())
            throw new ChatException(400, "tool_choice is required, without tools");
          yield new Asked(null, tools, true, false, most);
        }
        default ->
            throw new ChatException(
                400, "tool_choice is auto, none, required or a function, not " + choice);
      };
    }

    private static @Nullable JsonNode schema(JsonNode format) {
      if (format.isMissingNode() || format.isNull()) return null;
      return switch (format.path("type").asString("")) {
        case "text" -> null;
        case "json_object" -> Json.object().put("type", "object");
        case "json_schema" -> {
          var schema = format.path("json_schema").path("schema");
          if (schema.isMissingNode()) {
            throw new ChatException(400, "response_format.json_schema.schema is missing");
          }
          yield schema;
        }
        default ->
            throw new ChatException(
                400, "response_format.type is text, json_object or json_schema, not " + format);
      };
    }
  }
}
