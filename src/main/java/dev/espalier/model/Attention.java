package dev.espalier.model;

import org.bytedeco.pytorch.Tensor;

/// How the tokens of a batch see each other: packed rows in training, a cache in decoding.
public interface Attention {
  /// Mixes values by attention.
  ///
  /// @param layer the block that asks
  /// @param query (B, H, T, hd), after normalisation and rotation
  /// @param key (B, KV, T, hd), likewise
  /// @param value (B, KV, T, hd)
  /// @return (B, T, H·hd)
  Tensor attend(int layer, Tensor query, Tensor key, Tensor value);
}
