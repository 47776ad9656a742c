package dev.espalier.model;

import dev.espalier.tensor.LaneMath;
import dev.espalier.tensor.LaneMatrix;
import dev.espalier.tensor.Lanes;
import org.jspecify.annotations.Nullable;

/// The frozen weight of layers that read the same input, with their biases.
///
/// @param matrix (out, in)
@SuppressWarnings("ArrayRecordComponent") // nobody compares them
record LaneWeight(LaneMatrix matrix, float @Nullable [] bias) {
  /// Of a projection's layers that follow each other.
  ///
  /// @param from the first of its outputs
  /// @param count of them
  static LaneWeight of(Projection projection, Weights weights, long from, long count) {
    var rows = weights.weight(projection).narrow(0, from, count);
    var matrix = new LaneMatrix(rows, weights.laid(projection), Math.toIntExact(from));
    var bias = weights.bias(projection);
    return new LaneWeight(
        matrix, bias == null ? null : Weights.numbers(bias.narrow(0, from, count)));
  }

  /// @param start what is added to; null for zeros
  void multiply(Lanes x, @Nullable Lanes start, Lanes out) {
    if (bias == null) {
      matrix.multiply(x, start, out);
      return;
    }
    for (int panel = 0; panel < out.panels(); panel++) {
      LaneMath.fill(bias, out.place(panel, 0));
      if (start == null) continue;
      LaneMath.add(start.place(panel, 0), out.place(panel, 0), bias.length);
    }
    matrix.multiply(x, out, out);
  }
}
