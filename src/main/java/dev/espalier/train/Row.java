package dev.espalier.train;

/// One row of a batch: one or more sequences back to back, each with its own positions.
///
/// @param ids the tokens, int[T]
/// @param weights how much the loss of predicting each token counts, float[T]; the first token of a
///   sequence has none
/// @param sequence the number of the sequence that each token belongs to, int[T]; -1 is padding
public record Row(int[] ids, float[] weights, int[] sequence) {
  public Row {
    if (ids.length != weights.length || ids.length != sequence.length) {
      throw new IllegalArgumentException("a row's tokens, weights and sequences differ in length");
    }
    for (int t = 0; t < ids.length; t++) {
      boolean first = t == 0 || sequence[t] != sequence[t - 1];
      if (first && weights[t] != 0) {
        throw new IllegalArgumentException(
            "token " + t + " starts a sequence: nothing predicts it");
      }
    }
  }

  /// How many tokens carry loss.
  public int trained() {
    int count = 0;
    for (float weight : weights) if (weight != 0) count++;
    return count;
  }
}
