package dev.espalier.chat;

/// What the engine sampled, token by token: what training uses instead of re-tokenised text.
///
/// @param promptIds the prompt, int[P]
/// @param ids the sampled tokens with the one that ended the completion, int[T]
/// @param logprobs log-probabilities after temperature, before any truncation or mask, float[T]
/// @param adapterVersion the adapter and version that sampled, or "base"
/// @param temperature the sampling temperature; 0 means greedy, with logprobs taken at 1
public record TokenTrace(
    int[] promptIds, int[] ids, float[] logprobs, String adapterVersion, double temperature) {
  public TokenTrace {
    if (ids.length != logprobs.length) {
      throw new IllegalArgumentException(
          "a trace needs one log-probability a token: %d tokens, %d log-probabilities"
              .formatted(ids.length, logprobs.length));
    }
  }
}
