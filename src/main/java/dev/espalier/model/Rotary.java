package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// Rotary position embedding, the rotate-half form of Hugging Face models.
final class Rotary {
  private final long half;
  private final Tensor cos; // (context, hd): twice the cosines, float32
  private final Tensor sin; // (context, hd): the sines, negative and positive, float32

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
    this.half = half;
    try (var scope = new Scope()) {
      var table = torch.tensor(angles, Dtype.F32.options()).view(shape.context(), half);
      cos = scope.keep(join(table.cos(), table.cos()));
      sin = scope.keep(join(table.sin().neg(), table.sin()));
    }
  }

  private static Tensor join(Tensor first, Tensor second) {
    var both = new TensorVector();
    both.push_back(first);
    both.push_back(second);
    return torch.cat(both, 1);
  }

  /// The rotation of one position.
  Turn turn(int position) {
    return new Turn(at(cos, position), at(sin, position));
  }

  private float[] at(Tensor table, int position) {
    var out = new float[(int) (2 * half)];
    table.data_ptr_float().position(position * 2L * half).get(out);
    return out;
  }

  /// The rotations of those positions.
  ///
  /// @param positions (B, T) int64
  Angles at(Tensor positions) {
    long b = positions.size(0);
    long t = positions.size(1);
    var flat = positions.reshape(-1);
    return new Angles(
        half,
        cos.index_select(0, flat).view(b, 1, t, -1),
        sin.index_select(0, flat).view(b, 1, t, -1));
  }

  /// Cosines and signed sines of one position, hd each.
  @SuppressWarnings("ArrayRecordComponent") // nobody compares them
  record Turn(float[] cos, float[] sin) {}

  /// Cosines and signed sines, each (B, 1, T, hd).
  record Angles(long half, Tensor cos, Tensor sin) {
    /// Rotates (B, H, T, hd).
    Tensor rotate(Tensor x) {
      return torch.addcmul(x.mul(cos), x.roll(new long[] {half}, -1), sin);
    }

    /// The gradient of what was rotated, from that of the rotated.
    Tensor rotateBack(Tensor gradient) {
      return gradient.mul(cos).add_(gradient.mul(sin).roll(new long[] {half}, -1));
    }
  }
}
