package dev.espalier.train;

import dev.espalier.model.Span;
import java.util.List;

/// What goes through the model at once: sequences back to back, a start that several share once.
///
/// @param ids the tokens, int[T]
/// @param weights how much the loss of predicting each token counts, float[T]; the first token of a
///   sequence has none
/// @param spans the pieces of the row, in order
public record Row(int[] ids, float[] weights, List<Span> spans) {
  public Row {
    spans = List.copyOf(spans);
    int length = spans.stream().mapToInt(Span::length).sum();
    if (ids.length != weights.length || ids.length != length) {
      throw new IllegalArgumentException("a row's tokens, weights and spans differ in length");
    }
    int at = 0;
    for (var span : spans) {
      if (span.parent() < 0 && weights[at] != 0) {
        throw new IllegalArgumentException(
            "token " + at + " starts a sequence: nothing predicts it");
      }
      at += span.length();
    }
  }

  /// A row of one sequence.
  public static Row of(int[] ids, float[] weights) {
    return new Row(ids, weights, List.of(Span.whole(ids.length)));
  }

  /// How many tokens carry loss.
  public int trained() {
    int count = 0;
    for (float weight : weights) if (weight != 0) count++;
    return count;
  }

  /// The weights of the tokens that carry loss, in order.
  public float[] trainedWeights() {
    var out = new float[trained()];
    int n = 0;
    for (float weight : weights) if (weight != 0) out[n++] = weight;
    return out;
  }
}
