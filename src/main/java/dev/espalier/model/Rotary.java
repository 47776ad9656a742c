package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// Rotary position embedding, the rotate-half form of Hugging Face models.
final class Rotary {
  private final Tensor cos; // (context, hd/2), float32
  private final Tensor sin; // (context, hd/2), float32

  Rotary(ModelShape shape) {
    int half = shape.headDim() / 2;
    var angles = new float[shape.context() * half];
    for (int i = 0; i < half; i++) {
      double frequency =
          shape.ropeScaling().scale(Math.pow(shape.ropeTheta(), -2.0 * i / shape.headDim()));
      for (int position = 0; position < shape.context(); position++) {
        // float32 products, as the reference has them
        angles[position * half + i] = position * (float) frequency;
      }
    }
    try (var scope = new Scope()) {
      var table = torch.tensor(angles, Dtype.F32.options()).view(shape.context(), half);
      cos = scope.keep(table.cos());
      sin = scope.keep(table.sin());
    }
  }

  /// The rotations of those positions.
  ///
  /// @param positions (B, T) int64
  Angles at(Tensor positions, Dtype dtype) {
    long b = positions.size(0);
    long t = positions.size(1);
    var flat = positions.reshape(-1);
    return new Angles(
        cos.index_select(0, flat).view(b, 1, t, -1).to(dtype.scalar()),
        sin.index_select(0, flat).view(b, 1, t, -1).to(dtype.scalar()));
  }

  /// Cosines and sines, each (B, 1, T, hd/2).
  record Angles(Tensor cos, Tensor sin) {
    /// Rotates (B, H, T, hd).
    Tensor rotate(Tensor x) {
      long half = x.size(3) / 2;
      var first = x.narrow(3, 0, half);
      var second = x.narrow(3, half, half);
      var halves = new TensorVector();
      halves.push_back(first.mul(cos).sub(second.mul(sin)));
      halves.push_back(second.mul(cos).add(first.mul(sin)));
      return torch.cat(halves, 3);
    }
  }
}
