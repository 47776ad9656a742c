package dev.espalier.eval;

/// How to evaluate.
///
/// @param concurrency requests in flight at once
/// @param maxTokens the most tokens an answer may have
/// @param model the model name to ask for; empty keeps the one the example was captured with
public record EvaluateConfig(int concurrency, int maxTokens, String model) {
  public EvaluateConfig {
    if (concurrency < 1) throw new IllegalArgumentException("concurrency must be at least 1");
    if (maxTokens < 1) throw new IllegalArgumentException("max-tokens must be at least 1");
  }
}
