package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Products;
import dev.espalier.tensor.RowProduct;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// The base's part of a projection.
///
/// @param weight (out, in)
/// @param bias (out); null for none
/// @param laid for a few rows, where the weight is laid out; else null
public record BaseLinear(Tensor weight, @Nullable Tensor bias, @Nullable RowProduct laid) {
  private static final int FEW = 64; // rows, with more of which other products are as fast

  /// x·Wᵀ + b: (…, in) → (…, out)
  public Tensor product(Tensor x) {
    boolean recorded = x.requires_grad() || weight.requires_grad();
    if (!recorded && laid != null && few(x, laid)) return laid.of(x.contiguous(), bias, null);
    if (!recorded && RowProduct.fits(x, weight)) return RowProduct.of(x, weight, bias, null);
    if (bias == null) return recorded ? torch.linear(x, weight) : Products.linear(x, weight);
    return recorded || !Dtype.F32.is(x) // in 16 bit the sum is rounded once
        ? torch.linear(x, weight, new TensorOptional(bias))
        : Products.linear(x, weight).add_(bias);
  }

  /// The same and what frozen adapters make of x, added before the sum is rounded. No gradient is
  /// recorded.
  ///
  /// @param made (rows of x, out); it may become the product
  Tensor product(Tensor x, Tensor made) {
    if (laid != null && few(x, laid)) return laid.of(x.contiguous(), bias, made);
    return RowProduct.fits(x, weight)
        ? RowProduct.of(x, weight, bias, made)
        : Products.linear(x, weight, bias, made);
  }

  private static boolean few(Tensor x, RowProduct laid) {
    long rows = x.numel() / x.size(-1);
    return rows > 1 && rows <= FEW && laid.takes(rows);
  }

  /// Room for what adapters make of an input: (rows of x, out).
  Tensor room(Tensor x) {
    long[] size = {x.numel() / x.size(-1), weight.size(0)};
    return torch.empty(size, Dtype.of(x).options(), null);
  }
}
