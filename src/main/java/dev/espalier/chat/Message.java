package dev.espalier.chat;

import java.util.List;

/// One turn of a conversation: a view of the OpenAI JSON, which keeps the fields not named here.
public sealed interface Message {
  /// Instructions from the application (`system`, or `developer` in newer clients).
  record System(String text) implements Message {}

  /// What the user said.
  record User(String text) implements Message {}

  /// What the model said: text, tool calls or both.
  record Assistant(String text, List<ToolCall> calls) implements Message {
    public Assistant {
      calls = List.copyOf(calls);
    }
  }

  /// What a tool returned for the call of that id.
  record ToolResult(String callId, String text) implements Message {}
}
