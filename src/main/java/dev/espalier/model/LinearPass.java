package dev.espalier.model;

import dev.espalier.model.Lora.Site;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Matrix;
import dev.espalier.tensor.Products;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// One projection with its LoRA matrices, and their gradients by hand; the base's weight is frozen.
final class LinearPass {
  private final Projection projection;
  private final Map<String, Site> sites;
  private final Dtype dtype;
  private final Tensor weight; // (out, in)
  private final @Nullable Tensor bias;
  private final @Nullable LoraPair pair;
  private @Nullable Kept kept;

  /// The LoRA matrices in a pass, and what the way back needs of it.
  ///
  /// @param input (T, in)
  /// @param down (T, R), what A makes of it
  /// @param through (T, R), what B makes of the gradient
  private record Kept(LoraPair pair, Tensor input, Tensor down, Tensor through) {}

  LinearPass(Projection projection, Weights weights, Map<String, Site> sites, Dtype dtype) {
    this.projection = projection;
    this.sites = sites;
    this.dtype = dtype;
    weight = weights.weight(projection);
    bias = weights.bias(projection);
    pair = LoraPair.join(projection, sites, dtype);
  }

  /// @param x (T, in), of the weight's type
  /// @param out (T, out), where the output goes
  TokenStep forward(Tensor x, Tensor out) {
    kept = pair == null ? null : new Kept(pair, x, ranks(x, pair), ranks(x, pair));
    if (dtype != Dtype.F32) return TokenStep.whole(() -> forwardAll(x, out));
    var from = Matrix.of(x);
    var to = Matrix.of(out);
    var matrix = Matrix.of(weight).transpose();
    var lora = kept == null ? null : Factors.of(kept.pair(), kept.down());
    var always = bias == null ? null : Weights.numbers(bias);
    return (first, end) -> {
      var some = from.rows(first, end - first);
      var made = to.rows(first, end - first);
      made.set(some, matrix);
      if (always != null) made.add(always);
      if (lora == null) return;
      var inner = lora.inner().rows(first, end - first);
      inner.set(some, lora.a().transpose());
      made.add(inner, lora.b().transpose());
    };
  }

  private Tensor ranks(Tensor x, LoraPair lora) {
    return torch.empty(new long[] {x.size(0), lora.a().size(0)}, dtype.options(), null);
  }

  private void forwardAll(Tensor x, Tensor out) {
    if (kept == null) {
      Products.put(x, weight.t(), bias, out);
      return;
    }
    Products.put(x, kept.pair().a().t(), null, kept.down());
    Products.put(x, weight.t(), kept.down(), kept.pair().b().t(), bias, out);
  }

  /// The gradient of the input.
  ///
  /// @param gradient of the output, (T, out)
  /// @param in (T, in), where it goes; null where nobody wants it
  TokenStep backward(Tensor gradient, @Nullable Tensor in) {
    if (dtype != Dtype.F32) return TokenStep.whole(() -> backwardAll(gradient, in));
    var from = Matrix.of(gradient);
    var to = in == null ? null : Matrix.of(in);
    var matrix = Matrix.of(weight);
    var lora = kept == null ? null : Factors.of(kept.pair(), kept.through());
    return (first, end) -> {
      var some = from.rows(first, end - first);
      if (to != null) to.rows(first, end - first).set(some, matrix);
      if (lora == null) return;
      var inner = lora.inner().rows(first, end - first);
      inner.set(some, lora.b());
      if (to != null) to.rows(first, end - first).add(inner, lora.a());
    };
  }

  private void backwardAll(Tensor gradient, @Nullable Tensor in) {
    if (kept != null) Products.put(gradient, kept.pair().b(), null, kept.through());
    if (in == null) return;
    if (kept == null) Products.put(gradient, weight, null, in);
    else Products.put(gradient, weight, kept.through(), kept.pair().a(), null, in);
  }

  /// The LoRA matrices, and what is between them.
  ///
  /// @param a (R, in)
  /// @param b (out, R)
  /// @param inner (T, R)
  private record Factors(Matrix a, Matrix b, Matrix inner) {
    static Factors of(LoraPair pair, Tensor inner) {
      return new Factors(Matrix.of(pair.a()), Matrix.of(pair.b()), Matrix.of(inner));
    }
  }

  /// Adds to the gradients of the LoRA matrices, after the step back.
  ///
  /// @param gradient of the output, (T, out)
  void accumulate(Tensor gradient) {
    if (kept == null) return;
    var a = Products.wide(kept.through().t(), kept.input()); // (R, in)
    long row = 0;
    long rank = 0;
    for (var linear : projection.parts()) {
      var site = sites.get(linear.name());
      if (site != null) {
        var down = kept.down().narrow(1, rank, site.rank());
        var b = Products.wide(down.t(), gradient.narrow(1, row, linear.out())); // (rank, out)
        add(site.a(), a.narrow(0, rank, site.rank()));
        add(site.b(), b.t().mul(new Scalar(site.scale())).contiguous());
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
