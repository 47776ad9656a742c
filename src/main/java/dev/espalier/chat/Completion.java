package dev.espalier.chat;

import org.jspecify.annotations.Nullable;

/// A model's answer.
///
/// @param trace the sampled tokens, present when our own engine answered
public record Completion(
    Message.Assistant message, FinishReason finish, Usage usage, @Nullable TokenTrace trace) {}
