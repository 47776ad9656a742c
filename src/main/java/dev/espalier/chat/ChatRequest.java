package dev.espalier.chat;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A chat-completion request: the OpenAI JSON as it came, with typed looks into it.
///
/// The tree is not copied and must not be changed after it is handed over.
///
/// @param json the request's body
public record ChatRequest(ObjectNode json) {
  /// Checks what every reader relies on.
  ///
  /// @throws ChatException with status 400 that names the field at fault
  public ChatRequest {
    if (!(json.get("messages") instanceof ArrayNode messages) || messages.isEmpty()) {
      throw new ChatException(400, "messages must be a non-empty array");
    }
    for (int i = 0; i < messages.size(); i++) {
      var message = messages.get(i);
      if (!message.isObject() || !message.path("role").isString()) {
        throw new ChatException(400, "messages[%d] must be an object with a role".formatted(i));
      }
    }
    var tools = json.get("tools");
    if (tools != null && !tools.isNull() && !tools.isArray()) {
      throw new ChatException(400, "tools must be an array");
    }
  }

  /// A request with these messages and tools and nothing else set.
  public static ChatRequest of(String model, ArrayNode messages, @Nullable ArrayNode tools) {
    var json = Json.object().put("model", model);
    json.set("messages", messages);
    if (tools != null) json.set("tools", tools);
    return new ChatRequest(json);
  }

  /// The model's name, empty if the client named none.
  public String model() {
    return json.path("model").asString("");
  }

  /// The messages as they came.
  public ArrayNode messages() {
    return (ArrayNode) json.get("messages");
  }

  /// The tools as they came, or null if there are none.
  public @Nullable ArrayNode tools() {
    return json.get("tools") instanceof ArrayNode tools && !tools.isEmpty() ? tools : null;
  }

  /// Tools as a model is told of them: without `strict`, which says how to sample.
  public static ArrayNode described(ArrayNode tools) {
    var out = tools.deepCopy();
    for (var tool : out) {
      if (tool.path("function") instanceof ObjectNode function) function.remove("strict");
    }
    return out;
  }

  /// The most tool calls that an answer may have.
  public int mostCalls() {
    return json.path("parallel_tool_calls").asBoolean(true) ? Integer.MAX_VALUE : 1;
  }

  /// The messages as values.
  public List<Message> conversation() {
    var out = new ArrayList<Message>();
    for (var message : messages()) out.add(message(message));
    return out;
  }

  /// One message as a value; an unknown role is a 400.
  public static Message message(JsonNode json) {
    var text = text(json.path("content"));
    return switch (json.path("role").asString("")) {
      case "system", "developer" -> new Message.System(text);
      case "user" -> new Message.User(text);
      case "assistant" -> new Message.Assistant(text, calls(json.path("tool_calls")));
      case "tool", "function" ->
          new Message.ToolResult(json.path("tool_call_id").asString(""), text);
      case String role -> throw new ChatException(400, "unknown message role \"" + role + "\"");
    };
  }

  private static List<ToolCall> calls(JsonNode json) {
    var calls = new ArrayList<ToolCall>();
    for (var call : json) {
      var function = call.path("function");
      var arguments = function.path("arguments");
      calls.add(
          new ToolCall(
              call.path("id").asString(""),
              function.path("name").asString(""),
              arguments.isString() ? arguments.asString() : arguments.toString()));
    }
    return calls;
  }

  /// The text of a content field: a string, or the text parts of an array.
  private static String text(JsonNode content) {
    if (content.isString()) return content.asString();
    var out = new StringBuilder();
    for (var part : content) out.append(part.path("text").asString(""));
    return out.toString();
  }

  /// @throws ChatException with status 400 if a field is not known to the models of this process,
  ///   which would ignore it; [#sampling] refuses what they know and do not do
  public void checkFields() {
    LocalFields.checkKnown(json);
  }

  /// How to sample, with OpenAI's defaults where the client set nothing: an answer may go on to the
  /// end of the context.
  ///
  /// @throws ChatException with status 400 if a value is out of range or of the wrong type, or if
  ///   something is asked for that is not done
  public Sampling sampling() {
    LocalFields.check(json);
    for (var tool : json.path("tools")) checkFunction(tool);
    var limit = present("max_completion_tokens") ? "max_completion_tokens" : "max_tokens";
    return new Sampling(
        number("temperature", 1),
        number("top_p", 1),
        (int) number("top_k", 0),
        number("min_p", 0),
        (int) number(limit, Integer.MAX_VALUE),
        present("seed") ? (Long) (long) number("seed", 0) : null,
        stops(),
        new Penalties(number("frequency_penalty", 0), number("presence_penalty", 0)),
        topLogprobs());
  }

  private List<String> stops() {
    if (!present("stop")) return List.of();
    var stop = json.get("stop");
    var texts = stop.isArray() ? stop.valueStream().toList() : List.of(stop);
    if (!texts.stream().allMatch(JsonNode::isString)) {
      throw new ChatException(400, "stop must be a text or an array of texts, not " + stop);
    }
    return texts.stream().map(JsonNode::asString).toList();
  }

  private static void checkFunction(JsonNode tool) {
    var type = tool.path("type");
    if (type.isMissingNode() || type.asString("").equals("function")) return;
    throw new ChatException(
        400, "a model of this process calls tools of type \"function\" only, not " + type);
  }

  private int topLogprobs() {
    int most = (int) number("top_logprobs", 0);
    if (present("logprobs") && !json.get("logprobs").isBoolean()) {
      throw new ChatException(400, "logprobs must be true or false; top_logprobs says how many");
    }
    boolean wanted = json.path("logprobs").asBoolean(false);
    if (most != 0 && !wanted) throw new ChatException(400, "top_logprobs needs logprobs: true");
    if (most < 0) throw new ChatException(400, "top_logprobs must not be negative, not " + most);
    return wanted ? most : -1;
  }

  private boolean present(String field) {
    return json.hasNonNull(field);
  }

  private double number(String field, double otherwise) {
    if (!present(field)) return otherwise;
    var value = json.get(field);
    if (!value.isNumber()) throw new ChatException(400, field + " must be a number");
    return value.asDouble();
  }
}
