package dev.espalier.train;

/// Tokens to train on.
///
/// @param ids the tokens, int[T]
/// @param weights how much the loss of predicting each token counts, float[T]; 0 for the first
public record Sequence(int[] ids, float[] weights) {
  public Sequence {
    if (ids.length != weights.length) {
      throw new IllegalArgumentException(
          "%d tokens need as many weights, not %d".formatted(ids.length, weights.length));
    }
    if (ids.length == 0 || weights[0] != 0) {
      throw new IllegalArgumentException("nothing predicts the first token of a sequence");
    }
  }

  public int length() {
    return ids.length;
  }

  /// How much of it can be shared with others: what comes before its first token with loss.
  int shareable() {
    int t = 1;
    while (t < ids.length && weights[t] == 0) t++;
    return t;
  }
}
