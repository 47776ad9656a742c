package dev.espalier.gateway;

import dev.espalier.store.Api;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Builds the message that a stream's events are pieces of.
interface Assembler {
  static Assembler of(Api api) {
    return switch (api) {
      case OPENAI -> new OpenAiAssembler();
      case ANTHROPIC -> new AnthropicAssembler();
    };
  }

  /// Takes the data of the next event.
  void accept(String data);

  /// What there is so far; null if no event was understood.
  @Nullable ObjectNode message();

  /// Whether the model said why it stopped.
  boolean finished();
}
