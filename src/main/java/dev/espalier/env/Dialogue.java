package dev.espalier.env;

import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;

/// A conversation with tools whose every assistant turn is right.
///
/// @param id names it within its set
/// @param messages OpenAI chat messages, the system message first
public record Dialogue(String id, ArrayNode messages) {

  /// One request to a model and what it should answer.
  ///
  /// @param dialogue the id of the conversation that it is taken from
  /// @param messages what came before
  /// @param answer the right assistant message
  public record Turn(String dialogue, ArrayNode messages, Message.Assistant answer) {
    /// Whether the right answer calls a tool.
    public boolean isCall() {
      return !answer.calls().isEmpty();
    }
  }

  /// A request for every assistant turn, in order.
  public List<Turn> turns() {
    var turns = new ArrayList<Turn>();
    for (int i = 0; i < messages.size(); i++) {
      if (!(ChatRequest.message(messages.get(i)) instanceof Message.Assistant answer)) continue;
      var before = Json.array();
      for (int j = 0; j < i; j++) before.add(messages.get(j));
      turns.add(new Turn(id, before, answer));
    }
    return turns;
  }
}
