package dev.espalier.train;

import dev.espalier.tensor.Dtype;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// The critic's loss: half the squared error, and that of the value held near the old one if it is
/// larger (PPO, arXiv 1707.06347).
///
/// @param clip how far a value may move on one batch without loss of its gradient
public record ValueLoss(double clip) {
  public ValueLoss {
    if (!(clip > 0)) throw new IllegalArgumentException("a clip must be positive: " + clip);
  }

  /// A row's part of the loss.
  ///
  /// @param values what the critic says now, (N)
  /// @param before what it said when the tokens were sampled, float[N]
  /// @param returns what came of them, float[N]
  /// @param weights float[N]
  /// @return a scalar
  public Tensor of(Tensor values, float[] before, float[] returns, float[] weights) {
    var old = vector(before);
    var target = vector(returns);
    var held = old.add(values.sub(old).clamp_min(new Scalar(-clip)).clamp_max(new Scalar(clip)));
    var error = torch.maximum(values.sub(target).square(), held.sub(target).square());
    return error.mul(vector(weights)).sum().mul(new Scalar(0.5));
  }

  private static Tensor vector(float[] numbers) {
    return torch.tensor(numbers, Dtype.F32.options());
  }
}
