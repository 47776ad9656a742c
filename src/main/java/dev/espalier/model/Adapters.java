package dev.espalier.model;

import org.bytedeco.pytorch.Tensor;

/// What is added to the output of a projection: nothing, one adapter, or each row's own.
public interface Adapters {
  /// No adapter: the base model alone.
  Adapters NONE = (projection, input, output) -> output;

  /// The output with the adapters' part added.
  ///
  /// @param input (B, T, in)
  /// @param output (B, T, out), the base's part; it may be overwritten
  Tensor apply(Projection projection, Tensor input, Tensor output);
}
