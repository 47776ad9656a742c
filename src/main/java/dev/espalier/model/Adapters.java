package dev.espalier.model;

import org.bytedeco.pytorch.Tensor;

/// What is added to the output of a linear layer: nothing, one adapter, or each row's own.
public interface Adapters {
  /// No adapter: the base model alone.
  Adapters NONE = (linear, input, output) -> output;

  /// The output with the adapters' part added.
  ///
  /// @param linear the layer's name, as [ModelShape.Linear#name]
  /// @param input (B, T, in)
  /// @param output (B, T, out), the base's part
  Tensor apply(String linear, Tensor input, Tensor output);
}
