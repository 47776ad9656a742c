package dev.espalier.model;

import dev.espalier.tensor.LaneMath;
import dev.espalier.tensor.Lanes;
import org.jspecify.annotations.Nullable;

/// What happens to queries or keys of tokens side by side before attention: norms where the family
/// has them, and the rotation to their positions; with its gradient by hand.
///
/// @param first of the heads
/// @param heads how many
/// @param norm of each head
/// @param cos twice the cosines of each token's position
/// @param sin the sines, of the first half negative
@SuppressWarnings("ArrayRecordComponent") // nobody compares them
record LaneHeads(
    int first, int heads, int headDim, float @Nullable [] norm, double eps, Lanes cos, Lanes sin) {
  /// @param from all heads as they were projected
  /// @param to where they go, at the same places
  TokenStep forward(Lanes from, Lanes to) {
    return TokenStep.ofPanels(panel -> {
      for (int i = first * headDim; i < (first + heads) * headDim; i += headDim) {
        long of = from.place(panel, i);
        long out = to.place(panel, i);
        if (norm != null) LaneMath.norm(of, norm, eps, out);
        turn(panel, norm == null ? of : out, false, out);
      }
    });
  }

  private void turn(int panel, long from, boolean back, long to) {
    int half = headDim / 2;
    LaneMath.rotate(from, cos.place(panel, 0), sin.place(panel, half), half, back, to);
  }

  /// @param of what was projected
  /// @param gradient of what was made of it; becomes its own
  void backward(int panel, Lanes of, Lanes gradient) {
    for (int i = first * headDim; i < (first + heads) * headDim; i += headDim) {
      long place = gradient.place(panel, i);
      turn(panel, place, true, place);
      if (norm == null) continue;
      LaneMath.normGradient(of.place(panel, i), norm, eps, place, 0, place);
    }
  }
}
