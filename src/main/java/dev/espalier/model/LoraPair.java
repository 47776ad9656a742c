package dev.espalier.model;

import dev.espalier.model.Lora.Site;
import dev.espalier.tensor.Dtype;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// The matrices of all layers of a projection as one pair: A's stacked, and B's on the diagonal.
///
/// @param a (R, in), R the sum of the ranks
/// @param b (out, R), scaled
record LoraPair(Tensor a, Tensor b) {
  /// Joins the matrices of a projection's layers; gradients pass through.
  ///
  /// @param sites by the name of their layer
  /// @return null where no layer has any
  static @Nullable LoraPair join(Projection projection, Map<String, Site> sites, Dtype dtype) {
    long ranks = 0;
    for (var linear : projection.parts()) {
      var site = sites.get(linear.name());
      if (site != null) ranks += site.rank();
    }
    if (ranks == 0) return null;
    var as = new TensorVector();
    var bs = new TensorVector();
    long before = 0;
    for (var linear : projection.parts()) {
      var site = sites.get(linear.name());
      if (site == null) {
        bs.push_back(torch.zeros(new long[] {linear.out(), ranks}, dtype.options()));
        continue;
      }
      as.push_back(site.a());
      long after = ranks - before - site.rank();
      bs.push_back(
          torch.constant_pad_nd(
              scaled(site).to(dtype.scalar()), new long[] {before, after}, new Scalar(0)));
      before += site.rank();
    }
    return new LoraPair(torch.cat(as, 0).to(dtype.scalar()), torch.cat(bs, 0));
  }

  static Tensor scaled(Site site) {
    return site.scale() == 1 ? site.b() : site.b().mul(new Scalar(site.scale()));
  }

  /// The base's product and what the matrices add, rounded once; gradients pass through.
  ///
  /// @param input (…, in)
  Tensor apply(Tensor input, BaseLinear base) {
    var made = torch.linear(torch.linear(input, a), b);
    if (Dtype.F32.is(input)) return base.product(input).add(made);
    var rows = input.reshape(-1, input.size(-1));
    var sum = torch.addmm(made.reshape(-1, made.size(-1)), rows, base.weight().t());
    return (base.bias() == null ? sum : sum.add(base.bias())).view_as(made);
  }
}
