package dev.espalier.engine;

import dev.espalier.model.ModelShape;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.KeyValues;
import java.util.Arrays;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Keys and values of a start that several prompts share: computed once, and kept once for all
/// sequences that go on from it. On the device's thread only.
final class Segment implements AutoCloseable {
  final int[] tokens;
  final @Nullable Adapter adapter;
  private final KvCache content;
  int users; // running sequences
  long used; // when it was last asked for

  /// An empty one, to be filled.
  Segment(int[] tokens, @Nullable Adapter adapter, ModelShape shape, Dtype dtype) {
    this.tokens = tokens;
    this.adapter = adapter;
    content = new KvCache(shape, 1, dtype);
    content.reserve(tokens.length);
  }

  int length() {
    return tokens.length;
  }

  /// How much of a prompt it holds the start of.
  int shared(int[] prompt, @Nullable Adapter with) {
    if (!Objects.equals(adapter, with)) return 0;
    int mismatch = Arrays.mismatch(tokens, prompt);
    return mismatch < 0 ? tokens.length : mismatch;
  }

  /// The keys of its first positions: (KV, length, hd).
  Tensor keys(int layer, long length) {
    return content.keys(layer, 0, length);
  }

  /// The values of its first positions.
  Tensor values(int layer, long length) {
    return content.values(layer, 0, length);
  }

  /// Where its first positions lie.
  KeyValues at(int layer, int length) {
    return content.at(layer, 0, length);
  }

  /// Stores keys and values, each (KV, T, hd), from a position on.
  void fill(int layer, int position, Tensor key, Tensor value) {
    content.fill(layer, 0, position, key, value);
  }

  /// Whether its adapter is no more, so that nobody can ask for it.
  boolean stale() {
    return adapter != null && adapter.lora().closed();
  }

  long bytes() {
    return content.bytes();
  }

  @Override
  public void close() {
    content.close();
  }
}
