package dev.espalier.pretrain;

import dev.espalier.chat.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/// A conversation with tools before it becomes tokens.
record Conversation(List<Tool> tools, List<Turn> turns) {
  Conversation {
    tools = List.copyOf(tools);
    turns = List.copyOf(turns);
  }

  sealed interface Turn {}

  record System(String text) implements Turn {}

  record User(String text) implements Turn {}

  /// What the assistant says.
  record Say(String text) implements Turn {}

  /// What the assistant calls.
  ///
  /// @param arguments a String, Integer, BigDecimal or Boolean a name, in the order they are
  ///   written
  record Call(String tool, Map<String, Object> arguments) implements Turn {
    Call {
      arguments = new LinkedHashMap<>(arguments);
    }

    String argumentsJson() {
      return Json.write(arguments);
    }
  }

  /// What the tool returned to the call before.
  record Result(String text) implements Turn {}

  /// The form of an OpenAI chat JSONL line: `{"messages": […], "tools": […]}`.
  ObjectNode json() {
    var messages = Json.array();
    int calls = 0;
    for (var turn : turns) {
      var message = messages.addObject();
      switch (turn) {
        case System system -> message.put("role", "system").put("content", system.text());
        case User user -> message.put("role", "user").put("content", user.text());
        case Say say -> message.put("role", "assistant").put("content", say.text());
        case Call call -> {
          var function =
              message
                  .put("role", "assistant")
                  .putArray("tool_calls")
                  .addObject()
                  .put("id", "call_" + ++calls)
                  .put("type", "function")
                  .putObject("function");
          function.put("name", call.tool()).put("arguments", call.argumentsJson());
        }
        case Result result ->
            message
                .put("role", "tool")
                .put("tool_call_id", "call_" + calls)
                .put("content", result.text());
      }
    }
    var out = Json.object();
    out.set("messages", messages);
    var list = out.putArray("tools");
    for (var tool : tools) list.add(tool.json());
    return out;
  }
}
