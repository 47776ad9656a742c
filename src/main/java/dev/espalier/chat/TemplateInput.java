package dev.espalier.chat;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A conversation as a chat template is to see it: a copy of the request's tree in which call
/// arguments are objects, content is one string where it was text parts, and what spells a special
/// token is cut.
///
/// @param cut the character that marks a cut in the rendered text
record TemplateInput(ArrayNode messages, @Nullable ArrayNode tools, ObjectNode settings, char cut) {

  /// What a template knows of the API's messages.
  ///
  /// @param nineCharacterIds whether call ids must be nine letters and digits (Mistral's rule)
  /// @param nullContent whether it tells a call by its content being null (DeepSeek-R1's); others
  ///   fail on that, or print it
  /// @param developer whether it has that role; it is the system's elsewhere
  record Dialect(boolean nineCharacterIds, boolean nullContent, boolean developer) {
    static Dialect of(String source, ToolCallSyntax syntax) {
      return new Dialect(
          syntax == ToolCallSyntax.MISTRAL,
          source.contains("['content'] is none"),
          source.contains("developer"));
    }
  }

  /// @param guard knows the special tokens
  /// @throws ChatException with status 400 if a message holds more than text
  static TemplateInput of(ChatRequest request, MarkerGuard guard, Dialect dialect) {
    char cut = MarkerGuard.cutFor(request.json().toString());
    var messages = Json.array();
    for (var message : request.messages()) {
      var copy = (ObjectNode) message.deepCopy();
      copy.remove("weight"); // says how to train, not what was said
      if (!copy.hasNonNull("content") && !dialect.nullContent()) copy.put("content", "");
      if (copy.path("role").asString("").equals("developer") && !dialect.developer())
        copy.put("role", "system");
      flatten(copy);
      for (var call : copy.path("tool_calls")) {
        parseArguments(call);
        if (dialect.nineCharacterIds()) shortenId(call, "id");
      }
      if (dialect.nineCharacterIds()) shortenId(copy, "tool_call_id");
      messages.add(cut(copy, guard, cut));
    }
    var tools = request.tools();
    return new TemplateInput(
        messages,
        tools == null ? null : (ArrayNode) cut(ChatRequest.described(tools), guard, cut),
        request.json().path("chat_template_kwargs") instanceof ObjectNode settings
            ? (ObjectNode) cut(settings, guard, cut)
            : Json.object(),
        cut);
  }

  /// The template's variables for the first `count` messages.
  ObjectNode variables(int count, boolean addGenerationPrompt, ObjectNode specials) {
    var variables = Json.object();
    variables.setAll(settings);
    variables.setAll(specials);
    var first = variables.putArray("messages");
    for (int i = 0; i < count; i++) first.add(messages.get(i));
    if (tools != null) variables.set("tools", tools);
    return variables.put("add_generation_prompt", addGenerationPrompt);
  }

  /// Many templates know content only as a string, and none of these models reads anything else.
  private static void flatten(ObjectNode message) {
    if (!(message.get("content") instanceof ArrayNode parts)) return;
    var text = new StringBuilder();
    for (var part : parts) {
      var type = part.path("type").asString("");
      if (!type.equals("text") && !type.equals("refusal")) {
        throw new ChatException(
            400, "content of type %s cannot be read by this model: send text".formatted(type));
      }
      text.append(part.path(type).asString(""));
    }
    message.put("content", text.toString());
  }

  /// Templates expect an object; what is no JSON stays the text that the model wrote.
  private static void parseArguments(JsonNode call) {
    if (!(call.path("function") instanceof ObjectNode function)) return;
    var arguments = function.path("arguments");
    if (!arguments.isString()) return;
    try {
      var text = arguments.asString();
      function.set("arguments", text.isBlank() ? Json.object() : Json.parse(text));
    } catch (JacksonException e) {
      return;
    }
  }

  private static void shortenId(JsonNode node, String field) {
    if (!(node instanceof ObjectNode object) || !object.path(field).isString()) return;
    var id = "000000000" + object.path(field).asString().replaceAll("[^A-Za-z0-9]", "");
    object.put(field, id.substring(id.length() - 9));
  }

  private static JsonNode cut(JsonNode node, MarkerGuard guard, char cut) {
    return switch (node) {
      case ObjectNode object -> {
        var out = Json.object();
        for (var field : object.properties()) {
          out.set(guard.cut(field.getKey(), cut), cut(field.getValue(), guard, cut));
        }
        yield out;
      }
      case ArrayNode array -> {
        var out = Json.array();
        for (var item : array) out.add(cut(item, guard, cut));
        yield out;
      }
      default -> node.isString() ? out(guard.cut(node.asString(), cut)) : node;
    };
  }

  private static JsonNode out(String text) {
    return Json.MAPPER.getNodeFactory().stringNode(text);
  }
}
