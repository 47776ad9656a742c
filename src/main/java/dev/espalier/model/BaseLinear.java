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
/// @param bias (out)
public record BaseLinear(Tensor weight, @Nullable Tensor bias) {
  /// x·Wᵀ + b: (…, in) → (…, out)
  public Tensor product(Tensor x) {
    boolean recorded = x.requires_grad() || weight.requires_grad();
    if (bias != null && (recorded || !Dtype.F32.is(x))) { // in 16 bit the sum is rounded once
      return torch.linear(x, weight, new TensorOptional(bias));
    }
    if (recorded) return torch.linear(x, weight);
    if (bias != null) return Products.linear(x, weight).add_(bias);
    return RowProduct.fits(x, weight)
        ? RowProduct.of(x, weight, null, null)
        : Products.linear(x, weight);
  }

  /// The same and what frozen adapters make of it, which is added before the sum is rounded.
  ///
  /// @param made (rows of x, out); it may become the product
  Tensor product(Tensor x, Tensor made) {
    return RowProduct.fits(x, weight)
        ? RowProduct.of(x, weight, bias, made)
        : Products.linear(x, weight, bias, made);
  }

  /// Room for what adapters make of an input: (rows of x, out).
  Tensor room(Tensor x) {
    long[] size = {x.numel() / x.size(-1), weight.size(0)};
    return torch.empty(size, Dtype.of(x).options(), null);
  }
}
