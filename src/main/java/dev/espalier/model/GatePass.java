package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.RowGradients;
import dev.espalier.tensor.Rows;
import org.bytedeco.pytorch.Tensor;

/// silu(gate) · up, with its gradient by hand.
///
/// @param dtype of all numbers
/// @param gateUp (T, 2·width): gates, then ups; the step back makes of it its gradient
/// @param width of either
record GatePass(Dtype dtype, Tensor gateUp, int width) {
  /// @param to (T, width)
  TokenStep forward(Tensor to) {
    var rows = new Rows(dtype);
    long from = Rows.at(gateUp);
    long out = Rows.at(to);
    return (first, end) -> {
      var gates = new float[width];
      var ups = new float[width];
      for (long t = first; t < end; t++) {
        long gate = rows.after(from, 2 * t * width);
        rows.read(gate, gates);
        rows.read(rows.after(gate, width), ups);
        Rows.gate(gates, ups);
        rows.write(gates, rows.after(out, t * width));
      }
    };
  }

  /// @param gradient of the product, (T, width)
  TokenStep backward(Tensor gradient) {
    var rows = new Rows(dtype);
    long at = Rows.at(gateUp);
    long from = Rows.at(gradient);
    return (first, end) -> {
      var gates = new float[width];
      var ups = new float[width];
      var one = new float[width];
      for (long t = first; t < end; t++) {
        long gate = rows.after(at, 2 * t * width);
        long up = rows.after(gate, width);
        rows.read(gate, gates);
        rows.read(up, ups);
        rows.read(rows.after(from, t * width), one);
        RowGradients.gate(gates, ups, one);
        rows.write(gates, gate);
        rows.write(ups, up);
      }
    };
  }
}
