package dev.espalier.dataset;

import dev.espalier.chat.CanonicalCall;
import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.store.Example;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// One line of OpenAI's fine-tuning format, checked, as examples.
///
/// Fields that are not named here stay in the examples' requests as they came.
final class ExampleLine {
  private static final Set<String> OURS = Set.of("messages", "espalier");

  private final ObjectNode json;
  private final ArrayNode messages; // without their weights
  private final List<Integer> trained = new ArrayList<>(); // indices into messages

  /// @throws DatasetException that says what is wrong, without file and line
  ExampleLine(byte[] line) {
    json = object(line);
    for (var old : List.of("functions", "function_call")) {
      if (json.has(old)) throw new DatasetException(old + " is the old form: use tools");
    }
    messages = check(json).messages().deepCopy();
    for (int i = 0; i < messages.size(); i++) message((ObjectNode) messages.get(i), i);
    int n = 0;
    for (var tool : json.path("tools")) {
      if (!tool.path("function").path("name").isString()) {
        throw new DatasetException("tools[%d] has no function with a name".formatted(n));
      }
      n++;
    }
    if (!json.path("parallel_tool_calls").isMissingNode()
        && !json.path("parallel_tool_calls").isBoolean()) {
      throw new DatasetException("parallel_tool_calls must be true or false");
    }
    if (trained.isEmpty()) {
      throw new DatasetException("no assistant message to learn from: none has a weight above 0");
    }
  }

  private static ObjectNode object(byte[] line) {
    try {
      var json = Json.MAPPER.readTree(line);
      if (json instanceof ObjectNode object) return object;
      throw new DatasetException("not a JSON object: each line must be one, with \"messages\"");
    } catch (JacksonException e) {
      throw new DatasetException("not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static ChatRequest check(ObjectNode json) {
    try {
      return new ChatRequest(json);
    } catch (ChatException e) {
      throw new DatasetException(String.valueOf(e.getMessage()), e);
    }
  }

  private void message(ObjectNode message, int i) {
    try {
      var weight = message.remove("weight");
      var content = message.path("content");
      boolean readable = content.isString() || content.isArray();
      if (!readable && !content.isNull() && !content.isMissingNode()) {
        throw new DatasetException("content must be a string or an array of parts");
      }
      if (message.has("function_call")) {
        throw new DatasetException("function_call is the old form: use tool_calls");
      }
      switch (ChatRequest.message(message)) {
        case Message.Assistant assistant -> {
          assistant(assistant, message);
          if (weight == null || isOne(weight)) trained.add(i);
        }
        case Message.System _, Message.User _, Message.ToolResult _ -> {
          if (weight != null) throw new DatasetException("only assistant messages have a weight");
          if (!readable) throw new DatasetException("content is missing");
        }
      }
    } catch (DatasetException | ChatException e) {
      throw new DatasetException("messages[%d]: %s".formatted(i, e.getMessage()), e);
    }
  }

  private static void assistant(Message.Assistant assistant, ObjectNode message) {
    var calls = message.path("tool_calls");
    if (!calls.isMissingNode() && !calls.isNull() && !calls.isArray()) {
      throw new DatasetException("tool_calls must be an array");
    }
    if (assistant.calls().isEmpty() && message.path("content").isEmpty()) {
      if (assistant.text().isEmpty()) throw new DatasetException("neither content nor tool_calls");
    }
    for (var call : assistant.calls()) {
      if (call.name().isEmpty()) throw new DatasetException("a tool call has no function name");
      if (CanonicalCall.of(call) == null) {
        throw new DatasetException(
            "the arguments of %s are not one JSON object: %s"
                .formatted(call.name(), shortened(call.arguments())));
      }
    }
  }

  private static boolean isOne(JsonNode weight) {
    double value = weight.isNumber() ? weight.asDouble() : Double.NaN;
    if (value != 0 && value != 1) {
      throw new DatasetException("weight must be 0 or 1, not " + weight);
    }
    return value == 1;
  }

  private static String shortened(String text) {
    return text.length() <= 60 ? text : text.substring(0, 60) + "…";
  }

  /// @param at where the line stands, `file:line`: the source, unless the line names one
  List<Example> examples(Turns turns, String at) {
    var conversation = json.path("espalier").path("conversation").asString(at);
    var source = json.path("espalier").path("source").asString(at);
    var wanted =
        switch (turns) {
          case ALL -> trained;
          case LAST -> List.of(trained.getLast());
        };
    var examples = new ArrayList<Example>();
    for (int i : wanted) {
      if (i == 0) throw new DatasetException("messages[0]: an answer needs a prompt before it");
      var request = Json.object();
      for (var field : json.properties()) {
        if (field.getKey().equals("messages")) request.set("messages", prompt(i));
        else if (!OURS.contains(field.getKey())) request.set(field.getKey(), field.getValue());
      }
      var name = trained.size() == 1 ? source : source + "#" + i;
      var target = (ObjectNode) messages.get(i);
      examples.add(new Example(new ChatRequest(request), target, conversation, name));
    }
    return examples;
  }

  private ArrayNode prompt(int end) {
    var prompt = Json.array();
    for (int i = 0; i < end; i++) prompt.add(messages.get(i));
    return prompt;
  }
}
