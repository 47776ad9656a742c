package dev.espalier.env;

import dev.espalier.chat.Completion;

/// One attempt at one task: made for it, used once, by one thread at a time.
///
/// A simulated user, a tool server, executed code and a learned world model are all environments.
public interface Env extends AutoCloseable {
  /// What the policy is told before its first turn.
  Conversation start();

  /// What follows from the policy's turn.
  Step step(Completion action);

  @Override
  default void close() {}
}
