package dev.espalier.model;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;

/// RMSNorm of float32 numbers over their last dimension, with its gradient by hand.
///
/// @param unit x divided by its root mean square
/// @param inverse 1 / root mean square, with a last dimension of one
/// @param weight float32, of the last dimensions
record NormPass(Tensor unit, Tensor inverse, Tensor weight) {
  private static final long[] LAST = {-1};

  static NormPass of(Tensor x, Tensor weight, double eps) {
    var inverse = mean(x.square()).add_(new Scalar(eps)).rsqrt_();
    return new NormPass(x.mul(inverse), inverse, weight);
  }

  private static Tensor mean(Tensor x) {
    return x.mean(LAST, true, new ScalarTypeOptional());
  }

  Tensor output() {
    return unit.mul(weight);
  }

  /// @param gradient of the output, float32; it is overwritten
  /// @return the gradient of x: (g·w − unit · mean(g·w · unit)) / root mean square
  Tensor backward(Tensor gradient) {
    var scaled = gradient.mul_(weight);
    return scaled.addcmul_(unit, mean(scaled.mul(unit)), new Scalar(-1)).mul_(inverse);
  }
}
