package dev.espalier.store;

/// What a model's tokens cost, per million.
///
/// @param cachedInput the price of prompt tokens read from the provider's cache
public record Price(String model, double input, double output, double cachedInput) {
  private static final double MILLION = 1e6;

  public Price {
    if (!(input >= 0 && output >= 0 && cachedInput >= 0)) {
      throw new IllegalArgumentException("prices of " + model + " must not be negative");
    }
  }

  /// The cost of one request.
  public double of(TokenUsage usage) {
    var fresh = usage.promptTokens() - usage.cachedTokens();
    return (fresh * input + usage.cachedTokens() * cachedInput + usage.completionTokens() * output)
        / MILLION;
  }
}
