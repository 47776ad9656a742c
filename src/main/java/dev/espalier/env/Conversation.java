package dev.espalier.env;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;

/// What a policy reads: messages and tools in OpenAI's format.
///
/// @param tools null if there are none
public record Conversation(ArrayNode messages, @Nullable ArrayNode tools) {
  public Conversation {
    if (messages.isEmpty()) throw new IllegalArgumentException("a conversation without a message");
  }
}
