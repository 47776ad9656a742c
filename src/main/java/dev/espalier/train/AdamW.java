package dev.espalier.train;

import dev.espalier.tensor.Scope;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// AdamW (arXiv 1711.05101) on float32 parameters, as PyTorch computes it.
public final class AdamW implements Optimiser {
  /// The usual choice: betas 0.9 and 0.999, eps 1e-8.
  public record Config(double beta1, double beta2, double eps, double weightDecay) {
    public static Config withDecay(double weightDecay) {
      return new Config(0.9, 0.999, 1e-8, weightDecay);
    }
  }

  private record Slot(Tensor parameter, Tensor mean, Tensor square) {}

  private final Config config;
  private final SequencedMap<String, Slot> slots = new LinkedHashMap<>();
  private int steps;

  /// @param parameters float32 leaves; they stay the caller's
  public AdamW(SequencedMap<String, Tensor> parameters, Config config) {
    this.config = config;
    try (var scope = new Scope()) {
      parameters.forEach((name, parameter) -> {
        var mean = scope.keep(torch.zeros_like(parameter.detach()));
        var square = scope.keep(torch.zeros_like(parameter.detach()));
        slots.put(name, new Slot(parameter, mean, square));
      });
    }
  }

  @Override
  public void step(double learningRate) {
    steps++;
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      slots.forEach((name, slot) -> {
        var gradient = slot.parameter().grad();
        if (!gradient.defined()) throw new IllegalStateException(name + " has no gradient");
        update(slot, gradient, learningRate);
        gradient.zero_();
      });
    }
  }

  private void update(Slot slot, Tensor gradient, double learningRate) {
    double bias1 = 1 - Math.pow(config.beta1(), steps);
    double bias2 = 1 - Math.pow(config.beta2(), steps);
    if (config.weightDecay() != 0) {
      slot.parameter().mul_(new Scalar(1 - learningRate * config.weightDecay()));
    }
    slot.mean().lerp_(gradient, new Scalar(1 - config.beta1()));
    slot.square()
        .mul_(new Scalar(config.beta2()))
        .addcmul_(gradient, gradient, new Scalar(1 - config.beta2()));
    var root = slot.square().sqrt().div_(new Scalar(Math.sqrt(bias2)));
    slot.parameter()
        .addcdiv_(
            slot.mean(), root.add_(new Scalar(config.eps())), new Scalar(-learningRate / bias1));
  }

  @Override
  public SequencedMap<String, Tensor> state() {
    var out = new LinkedHashMap<String, Tensor>();
    slots.forEach((name, slot) -> out.put("mean." + name, slot.mean()));
    slots.forEach((name, slot) -> out.put("square." + name, slot.square()));
    return out;
  }

  @Override
  public int steps() {
    return steps;
  }

  @Override
  public void resume(int done) {
    steps = done;
  }

  @Override
  public void close() {
    state().values().forEach(Tensor::close);
  }
}
