package dev.espalier.chat;

import org.jspecify.annotations.Nullable;

/// A model's answer.
///
/// @param trace the sampled tokens, present when our own engine answered
/// @param unparseable whether it set out to call a tool but the call cannot be read, as [Reply] has
///   it; nobody knows of another's engine
public record Completion(
    Message.Assistant message,
    FinishReason finish,
    Usage usage,
    @Nullable TokenTrace trace,
    boolean unparseable) {
  /// One whose calls, if any, could be read.
  public Completion(
      Message.Assistant message, FinishReason finish, Usage usage, @Nullable TokenTrace trace) {
    this(message, finish, usage, trace, false);
  }
}
