package dev.espalier.train;

import dev.espalier.tensor.Dtype;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// The loss of the policy-gradient family: −surrogate(ratio, advantage) + β · KL to the reference
/// policy, weighted token by token.
///
/// @param ratio of which probabilities
/// @param clip how far the ratio is let
/// @param kl the estimator of the KL in the loss; of no effect where beta is 0
/// @param beta how much the KL counts
public record PolicyLoss(Ratio ratio, Clip clip, Kl kl, double beta) {
  /// What is compared with the policy that sampled.
  public enum Ratio {
    /// Each token's probability.
    TOKEN,
    /// The geometric mean over the tokens of a sequence (GSPO, arXiv 2507.18071).
    SEQUENCE
  }

  /// How far the policy may move on one batch.
  public sealed interface Clip {
    /// PPO's: min(ρA, clip(ρ, 1 − low, 1 + high) A), arXiv 1707.06347; DAPO's where high exceeds
    /// low.
    record Range(double low, double high) implements Clip {}

    /// PPO's, and at least most·A where A is negative (arXiv 1912.09729).
    record Dual(double low, double high, double most) implements Clip {}

    /// CISPO's: the gradient of every token, its ratio cut off at `most` and held constant
    /// (MiniMax-M1, arXiv 2506.13585).
    record Weight(double most) implements Clip {}
  }

  /// Estimators of KL(policy ‖ reference) from samples of the policy, Δ = log π_ref − log π.
  public enum Kl {
    /// −Δ: unbiased, and of no use as a loss, for its gradient is zero in the mean.
    K1,
    /// Δ² / 2: biased, with the right gradient.
    K2,
    /// e^Δ − Δ − 1: unbiased and never negative (GRPO); its gradient has no bound where a sampled
    /// token has become unlikely.
    K3,
    /// k3 times π / π_old: its gradient is unbiased too, and small where π is (DeepSeek-V3.2, arXiv
    /// 2512.02556).
    WEIGHTED_K3
  }

  public PolicyLoss {
    if (!(beta >= 0 && Double.isFinite(beta))) {
      throw new IllegalArgumentException("beta cannot be negative or infinite: " + beta);
    }
    boolean sound =
        switch (clip) {
          case Clip.Range(var low, var high) -> low >= 0 && low <= 1 && high >= 0;
          case Clip.Dual(var low, var high, var most) ->
              low >= 0 && low <= 1 && high >= 0 && most > 1;
          case Clip.Weight(var most) -> most >= 1;
        };
    if (!sound) throw new IllegalArgumentException("no clip can be " + clip);
  }

  /// What the loss needs to know of the trained tokens of a row, in their order; all float[N].
  ///
  /// @param sampled log π of the policy that sampled
  /// @param reference log π of the reference policy; equal to `sampled` where beta is 0
  /// @param advantages of each token
  /// @param weights how much each counts
  /// @param sequence int[N], the sequence in the row that each belongs to, counted from 0
  public record Tokens(
      float[] sampled, float[] reference, float[] advantages, float[] weights, int[] sequence) {
    public Tokens {
      int n = sampled.length;
      if (reference.length != n
          || advantages.length != n
          || weights.length != n
          || sequence.length != n) {
        throw new IllegalArgumentException("a row's tokens differ in number");
      }
    }
  }

  /// The row's part of the loss.
  ///
  /// @param logprobs log π of its trained tokens, (N)
  /// @return a scalar
  public Tensor of(Tensor logprobs, Tokens tokens) {
    var advantages = vector(tokens.advantages());
    var change = logprobs.sub(vector(tokens.sampled()));
    var rho =
        switch (ratio) {
          case TOKEN -> change.exp();
          case SEQUENCE -> meanBySequence(change, tokens.sequence()).exp();
        };
    var loss = surrogate(rho, logprobs, advantages).neg();
    if (beta > 0) {
      var delta = vector(tokens.reference()).sub(logprobs);
      loss = loss.add(divergence(delta, change).mul(new Scalar(beta)));
    }
    return loss.mul(vector(tokens.weights())).sum();
  }

  private Tensor surrogate(Tensor rho, Tensor logprobs, Tensor advantages) {
    return switch (clip) {
      case Clip.Range(var low, var high) -> clipped(rho, advantages, low, high);
      case Clip.Dual(var low, var high, var most) -> {
        var clipped = clipped(rho, advantages, low, high);
        var bounded = torch.maximum(clipped, advantages.mul(new Scalar(most)));
        yield torch.where(advantages.lt(new Scalar(0.0)), bounded, clipped);
      }
      case Clip.Weight(var most) ->
          rho.detach().clamp_max(new Scalar(most)).mul(advantages).mul(logprobs);
    };
  }

  private static Tensor clipped(Tensor rho, Tensor advantages, double low, double high) {
    var inside = torch.clamp_max(torch.clamp_min(rho, new Scalar(1 - low)), new Scalar(1 + high));
    return torch.minimum(rho.mul(advantages), inside.mul(advantages));
  }

  private Tensor divergence(Tensor delta, Tensor change) {
    return switch (kl) {
      case K1 -> delta.neg();
      case K2 -> delta.square().mul(new Scalar(0.5));
      case K3 -> k3(delta);
      case WEIGHTED_K3 -> k3(delta).mul(change.exp());
    };
  }

  private static Tensor k3(Tensor delta) {
    return delta.exp().sub(delta).sub(new Scalar(1.0));
  }

  /// Each number replaced by the mean of its sequence: (N).
  private static Tensor meanBySequence(Tensor numbers, int[] sequence) {
    int count = 0;
    for (int one : sequence) count = Math.max(count, one + 1);
    var lengths = new float[count];
    var index = new long[sequence.length];
    for (int i = 0; i < index.length; i++) {
      index[i] = sequence[i];
      lengths[sequence[i]]++;
    }
    var of = torch.tensor(index, new TensorOptions(ScalarType.Long));
    var sums = torch.zeros(new long[] {count}, Dtype.F32.options()).index_add(0, of, numbers);
    return sums.div(vector(lengths)).index_select(0, of);
  }

  private static Tensor vector(float[] numbers) {
    return torch.tensor(numbers, Dtype.F32.options());
  }
}
