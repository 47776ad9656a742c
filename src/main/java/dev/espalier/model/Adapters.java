package dev.espalier.model;

import org.bytedeco.pytorch.Tensor;

/// How projections are computed: by the base alone, with one adapter, or with each row's own.
public interface Adapters {
  /// No adapter: the base model alone.
  Adapters NONE = (projection, input, base) -> base.product(input);

  /// A projection's output with the adapters' part.
  ///
  /// @param input (…, in)
  /// @return (…, out)
  Tensor apply(Projection projection, Tensor input, BaseLinear base);
}
