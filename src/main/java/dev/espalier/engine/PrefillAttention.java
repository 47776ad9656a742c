package dev.espalier.engine;

import dev.espalier.model.Attention;
import dev.espalier.model.PackedAttention;
import org.bytedeco.pytorch.Tensor;

/// The end of a prompt against its cached start and itself, by the attention that training uses;
/// its keys and values go into the cache.
///
/// @param start how many tokens of the prompt the slot holds already
record PrefillAttention(KvCache cache, int slot, int start, PackedAttention causal)
    implements Attention {
  @Override
  public Tensor attend(int layer, Tensor query, Tensor key, Tensor value) {
    cache.fill(layer, slot, start, key, value);
    if (start == 0) return causal.attend(layer, query, key, value);
    long length = start + key.size(2);
    return causal.attend(
        layer, query, cache.keysOf(layer, slot, length), cache.valuesOf(layer, slot, length));
  }
}
