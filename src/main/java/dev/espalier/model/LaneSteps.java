package dev.espalier.model;

import dev.espalier.tensor.LaneMath;
import dev.espalier.tensor.Lanes;

/// Steps of a block with tokens side by side, forward.
final class LaneSteps {
  private LaneSteps() {}

  /// RMS norm.
  static TokenStep norm(Lanes from, float[] weight, double eps, Lanes to) {
    return TokenStep.ofPanels(
        panel -> LaneMath.norm(from.place(panel, 0), weight, eps, to.place(panel, 0)));
  }

  /// silu(gate) · up.
  ///
  /// @param gates and after them as many ups
  static TokenStep gate(Lanes gates, Lanes to) {
    return TokenStep.ofPanels(
        panel -> LaneMath.gate(gates.place(panel, 0), to.features(), to.place(panel, 0)));
  }
}
