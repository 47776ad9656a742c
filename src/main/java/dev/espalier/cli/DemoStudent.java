package dev.espalier.cli;

import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.dataset.Dataset;
import dev.espalier.gateway.LocalModels;
import java.util.function.Consumer;
import tools.jackson.databind.node.ObjectNode;

/// The small model that the demo teaches: what it was before, and what it becomes.
///
/// As [LocalModels] it is what the gateway serves: an adapter from the moment it was distilled.
interface DemoStudent extends LocalModels, AutoCloseable {
  /// The base model, which has been taught nothing of this.
  ChatModel base();

  /// How many tokens of a training sequence a conversation is.
  int tokens(ChatRequest conversation);

  /// The most tokens that it can read and write.
  int context();

  /// Trains an adapter, which is served by that name from then on, with the dataset's rules.
  ///
  /// @param epochs passes over it
  void distil(Dataset dataset, String name, int epochs, Consumer<ObjectNode> progress);

  /// Lets an adapter practise in the office; what comes of it is served by the other name.
  Reinforcement reinforce(String from, String name, Consumer<ObjectNode> progress);

  @Override
  void close();
}
