package dev.espalier.model;

import dev.espalier.tensor.Crew;
import dev.espalier.tensor.LaneAttention;
import dev.espalier.tensor.LaneAttention.Head;
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

  /// Attention of all heads of all queries, a panel of a head at a time.
  ///
  /// @param keys of the first key-value head; the others' follow
  /// @param values likewise
  /// @param mixed where the output goes
  /// @param softmax two features of each head, for the way back
  static void attend(
      ModelShape shape,
      LanePlan plan,
      Lanes queries,
      Head keys,
      Head values,
      Lanes mixed,
      Lanes softmax) {
    var attention = new LaneAttention(shape.headDim());
    int count = shape.heads();
    int panels = queries.panels();
    Crew.device()
        .run(
            panels * count,
            job -> {
              int panel = panels - 1 - job / count; // the longest first
              int head = job % count;
              int from = head * shape.headDim();
              attention.forward(
                  queries.place(panel, from),
                  shared(shape, keys, head),
                  shared(shape, values, head),
                  plan.blocks().get(panel),
                  mixed.place(panel, from),
                  softmax.place(panel, 2 * head));
            });
  }

  /// The key-value head that a query head shares with others.
  ///
  /// @param first of the key-value heads
  static Head shared(ModelShape shape, Head first, int head) {
    int group = shape.heads() / shape.kvHeads();
    return new Head(first.lanes(), first.from() + head / group * shape.headDim());
  }
}
