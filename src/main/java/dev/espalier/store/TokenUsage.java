package dev.espalier.store;

/// Tokens of one captured request.
///
/// @param promptTokens all prompt tokens, cached ones included
/// @param cachedTokens those of the prompt that the provider read from its cache
/// @param estimated true when the provider reported nothing and the gateway counted
public record TokenUsage(
    int promptTokens, int completionTokens, int cachedTokens, boolean estimated) {
  public int totalTokens() {
    return promptTokens + completionTokens;
  }
}
