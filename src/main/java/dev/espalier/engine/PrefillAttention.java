package dev.espalier.engine;

import dev.espalier.model.Attention;
import dev.espalier.model.PackedAttention;
import org.bytedeco.pytorch.Tensor;

/// A prompt's own causal attention, the same that training uses, with its keys and values put into
/// the cache.
record PrefillAttention(KvCache cache, int slot, PackedAttention causal) implements Attention {
  @Override
  public Tensor attend(int layer, Tensor query, Tensor key, Tensor value) {
    cache.fill(layer, slot, key, value);
    return causal.attend(layer, query, key, value);
  }
}
