package dev.espalier.store;

import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Message;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// One turn to learn from or to be measured on: a request and the assistant message that should
/// answer it.
///
/// The trees are shared, not copied, and must not be changed.
///
/// @param request the prompt: the messages before the turn, the tools, and every other field
/// @param target the assistant message as JSON, with text, `tool_calls` or both
/// @param conversation turns with the same value belong to one conversation, and never go to
///   different parts of a split
/// @param source where the turn came from, for people: `captured.jsonl:17` or a request's id
public record Example(ChatRequest request, ObjectNode target, String conversation, String source) {
  public Example {
    if (!target.path("role").asString("").equals("assistant")) {
      throw new IllegalArgumentException(source + ": the target must be an assistant message");
    }
  }

  /// The target as a value.
  public Message.Assistant expected() {
    return (Message.Assistant) ChatRequest.message(target);
  }

  /// The whole conversation: the prompt's messages and the target, as a new array.
  public ArrayNode messages() {
    return request.messages().deepCopy().add(target);
  }
}
