package dev.espalier.chat;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the engine sampled, token by token: what training uses instead of re-tokenised text.
///
/// @param promptIds the prompt, int[P]
/// @param ids the sampled tokens with the one that ended the completion, int[T]
/// @param logprobs log-probabilities after temperature, before any truncation or mask, float[T]
/// @param adapterVersion the adapter and version that sampled, or "base"
/// @param temperature the sampling temperature; 0 means greedy, with logprobs taken at 1
/// @param likeliest what was likeliest at each sampled token, in order; null where nobody asked
public record TokenTrace(
    int[] promptIds,
    int[] ids,
    float[] logprobs,
    String adapterVersion,
    double temperature,
    @Nullable List<List<Likely>> likeliest) {
  /// A token that might have come, with its log-probability, as [TokenTrace] has it.
  public record Likely(int id, float logprob) {}

  public TokenTrace {
    if (ids.length != logprobs.length) {
      throw new IllegalArgumentException(
          "a trace needs one log-probability a token: %d tokens, %d log-probabilities"
              .formatted(ids.length, logprobs.length));
    }
  }

  /// One that does not say what else was likely.
  public TokenTrace(
      int[] promptIds, int[] ids, float[] logprobs, String adapterVersion, double temperature) {
    this(promptIds, ids, logprobs, adapterVersion, temperature, null);
  }
}
