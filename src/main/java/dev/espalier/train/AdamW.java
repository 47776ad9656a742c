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

  private final SequencedMap<String, Tensor> parameters;
  private final Config config;
  private final SequencedMap<String, Tensor> mean = new LinkedHashMap<>();
  private final SequencedMap<String, Tensor> square = new LinkedHashMap<>();
  private int steps;

  /// @param parameters float32 leaves; they stay the caller's
  public AdamW(SequencedMap<String, Tensor> parameters, Config config) {
    this.parameters = parameters;
    this.config = config;
    try (var scope = new Scope()) {
      parameters.forEach((name, parameter) -> {
        mean.put(name, scope.keep(torch.zeros_like(parameter.detach())));
        square.put(name, scope.keep(torch.zeros_like(parameter.detach())));
      });
    }
  }

  @Override
  public void step(double learningRate) {
    steps++;
    double bias1 = 1 - Math.pow(config.beta1(), steps);
    double bias2 = 1 - Math.pow(config.beta2(), steps);
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      parameters.forEach((name, parameter) -> {
        var gradient = parameter.grad();
        if (!gradient.defined()) throw new IllegalStateException(name + " has no gradient");
        var m = mean.get(name);
        var v = square.get(name);
        if (config.weightDecay() != 0) {
          parameter.mul_(new Scalar(1 - learningRate * config.weightDecay()));
        }
        m.lerp_(gradient, new Scalar(1 - config.beta1()));
        v.mul_(new Scalar(config.beta2()))
            .addcmul_(gradient, gradient, new Scalar(1 - config.beta2()));
        var denominator =
            v.sqrt().div_(new Scalar(Math.sqrt(bias2))).add_(new Scalar(config.eps()));
        parameter.addcdiv_(m, denominator, new Scalar(-learningRate / bias1));
        gradient.zero_();
      });
    }
  }

  @Override
  public SequencedMap<String, Tensor> state() {
    var out = new LinkedHashMap<String, Tensor>();
    mean.forEach((name, tensor) -> out.put("mean." + name, tensor));
    square.forEach((name, tensor) -> out.put("square." + name, tensor));
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
