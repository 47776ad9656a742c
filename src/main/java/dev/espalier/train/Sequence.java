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
}
