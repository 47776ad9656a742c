package dev.espalier.model;

import dev.espalier.model.Lora.Site;
import dev.espalier.tensor.Dtype;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// One projection with its LoRA matrices, and their gradients by hand; the base's weight is frozen.
final class LinearPass {
  private final Projection projection;
  private final Map<String, Site> sites;
  private final Tensor weight; // (out, in)
  private final @Nullable Tensor bias;
  private final @Nullable LoraPair pair;
  private @Nullable Tensor input; // (T, in)
  private @Nullable Tensor down; // (T, R)

  LinearPass(Projection projection, Weights weights, Map<String, Site> sites, Dtype dtype) {
    this.projection = projection;
    this.sites = sites;
    weight = weights.weight(projection);
    bias = weights.bias(projection);
    pair = LoraPair.join(projection, sites, dtype);
  }

  /// @param x (T, in), of the weight's type
  /// @return (T, out)
  Tensor forward(Tensor x) {
    var out =
        bias == null ? torch.linear(x, weight) : torch.linear(x, weight, new TensorOptional(bias));
    if (pair == null) return out;
    input = x;
    down = torch.linear(x, pair.a());
    return out.addmm_(down, pair.b().t());
  }

  /// Adds to the gradients of the LoRA matrices.
  ///
  /// @param gradient of the output, (T, out)
  /// @param wanted whether that of the input is
  /// @return the gradient of the input, (T, in), or of nothing
  @Nullable Tensor backward(Tensor gradient, boolean wanted) {
    var in = wanted ? torch.mm(gradient, weight) : null;
    if (pair == null || input == null || down == null) return in;
    var through = torch.mm(gradient, pair.b()); // (T, R)
    accumulate(torch.mm(through.t(), input), torch.mm(gradient.t(), down));
    return in == null ? null : in.addmm_(through, pair.a());
  }

  /// @param a (R, in), the gradient of the stacked A's
  /// @param b (out, R), that of the B's, of which only the diagonal blocks mean anything
  private void accumulate(Tensor a, Tensor b) {
    long row = 0;
    long rank = 0;
    for (var linear : projection.parts()) {
      var site = sites.get(linear.name());
      if (site != null) {
        var block = b.narrow(0, row, linear.out()).narrow(1, rank, site.rank());
        add(site.a(), a.narrow(0, rank, site.rank()).to(Dtype.F32.scalar()));
        add(site.b(), block.to(Dtype.F32.scalar()).mul(new Scalar(site.scale())));
        rank += site.rank();
      }
      row += linear.out();
    }
  }

  private static void add(Tensor parameter, Tensor gradient) {
    if (parameter.grad().defined()) parameter.grad().add_(gradient);
    else parameter.mutable_grad().put(gradient.clone());
  }
}
