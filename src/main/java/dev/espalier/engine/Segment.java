package dev.espalier.engine;

import dev.espalier.model.ModelShape;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Keys and values of a start that several prompts share: computed once, kept once, and read once a
/// step for all sequences that go on from it. On the device's thread only.
final class Segment implements AutoCloseable {
  final int[] tokens;
  final @Nullable Adapter adapter;
  private final List<Tensor> keys = new ArrayList<>(); // a layer each: (KV, length, hd)
  private final List<Tensor> values = new ArrayList<>();
  int users; // running sequences
  long used; // when it was last asked for

  /// An empty one, to be filled.
  Segment(int[] tokens, @Nullable Adapter adapter, ModelShape shape, Dtype dtype) {
    this.tokens = tokens;
    this.adapter = adapter;
    long[] size = {shape.kvHeads(), tokens.length, shape.headDim()};
    try (var scope = new Scope()) {
      for (int layer = 0; layer < shape.layers(); layer++) {
        keys.add(scope.keep(torch.zeros(size, dtype.options())));
        values.add(scope.keep(torch.zeros(size, dtype.options())));
      }
    }
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
    return keys.get(layer).narrow(1, 0, length);
  }

  /// The values of its first positions.
  Tensor values(int layer, long length) {
    return values.get(layer).narrow(1, 0, length);
  }

  /// Stores keys and values, each (KV, T, hd), from a position on.
  void fill(int layer, long position, Tensor key, Tensor value) {
    keys.get(layer).narrow(1, position, key.size(1)).copy_(key);
    values.get(layer).narrow(1, position, value.size(1)).copy_(value);
  }

  /// Whether its adapter is no more, so that nobody can ask for it.
  boolean stale() {
    return adapter != null && adapter.lora().closed();
  }

  long bytes() {
    long bytes = 0;
    for (var tensor : keys) bytes += 2 * tensor.nbytes();
    return bytes;
  }

  @Override
  public void close() {
    keys.forEach(Tensor::close);
    values.forEach(Tensor::close);
  }
}
