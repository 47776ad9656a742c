package dev.espalier.engine;

import dev.espalier.model.ModelShape;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Keys and values of the running sequences: one slot each, the running ones always in the first
/// slots.
///
/// Grows with the longest sequence, up to the model's context. On the device's thread only.
final class KvCache implements AutoCloseable {
  private static final int FIRST_CAPACITY = 512;

  private final ModelShape shape;
  private final int slots;
  private final Dtype dtype;
  private final List<Tensor> keys = new ArrayList<>(); // a layer each: (slots·KV, capacity, hd)
  private final List<Tensor> values = new ArrayList<>();
  private int capacity;

  KvCache(ModelShape shape, int slots, Dtype dtype) {
    this.shape = shape;
    this.slots = slots;
    this.dtype = dtype;
  }

  /// Makes room for sequences of that length.
  void reserve(int length) {
    if (length <= capacity) return;
    int grown = Math.max(length, Math.max(FIRST_CAPACITY, 2 * capacity));
    int wanted = Math.min(shape.context(), grown);
    try (var scope = new Scope()) {
      for (int layer = 0; layer < shape.layers(); layer++) {
        grow(scope, keys, layer, wanted);
        grow(scope, values, layer, wanted);
      }
    }
    capacity = wanted;
  }

  private void grow(Scope scope, List<Tensor> tensors, int layer, int wanted) {
    long[] size = {(long) slots * shape.kvHeads(), wanted, shape.headDim()};
    var grown = scope.keep(torch.zeros(size, dtype.options()));
    if (layer == tensors.size()) {
      tensors.add(grown);
      return;
    }
    grown.narrow(1, 0, capacity).copy_(tensors.get(layer));
    tensors.set(layer, grown).close();
  }

  /// The keys of the first slots, up to a length: (rows·KV, length, hd).
  Tensor keys(int layer, int rows, long length) {
    return keys.get(layer).narrow(0, 0, (long) rows * shape.kvHeads()).narrow(1, 0, length);
  }

  /// The values of the first slots, up to a length.
  Tensor values(int layer, int rows, long length) {
    return values.get(layer).narrow(0, 0, (long) rows * shape.kvHeads()).narrow(1, 0, length);
  }

  /// Stores one token's keys and values of the first slots.
  ///
  /// @param at (rows·KV) int64, from [#places]
  /// @param key (rows·KV, hd)
  /// @param value (rows·KV, hd)
  void append(int layer, Tensor at, Tensor key, Tensor value) {
    keys.get(layer).view(-1, shape.headDim()).index_copy_(0, at, key);
    values.get(layer).view(-1, shape.headDim()).index_copy_(0, at, value);
  }

  /// Where the heads of each row's token go, for [#append].
  ///
  /// @param positions the position of each row's token; row i is in slot i
  long[] places(int[] positions) {
    var places = new long[positions.length * shape.kvHeads()];
    for (int i = 0; i < places.length; i++) {
      places[i] = (long) i * capacity + positions[i / shape.kvHeads()];
    }
    return places;
  }

  /// Stores keys and values, each (1, KV, T, hd), in a slot from that position on.
  void fill(int layer, int slot, int position, Tensor key, Tensor value) {
    slot(keys, layer, slot).narrow(1, position, key.size(2)).copy_(key.select(0, 0));
    slot(values, layer, slot).narrow(1, position, value.size(2)).copy_(value.select(0, 0));
  }

  /// The keys of one slot, up to a length: (1, KV, length, hd).
  Tensor keysOf(int layer, int slot, long length) {
    return slot(keys, layer, slot).narrow(1, 0, length).unsqueeze(0);
  }

  /// The values of one slot, up to a length.
  Tensor valuesOf(int layer, int slot, long length) {
    return slot(values, layer, slot).narrow(1, 0, length).unsqueeze(0);
  }

  /// Copies the start of a sequence to another slot.
  void copy(int from, int to, int length) {
    for (int layer = 0; layer < shape.layers(); layer++) copy(layer, from, to, length);
  }

  /// Copies one layer of the start of a sequence to another slot.
  void copy(int layer, int from, int to, int length) {
    for (var tensors : List.of(keys, values)) {
      slot(tensors, layer, to)
          .narrow(1, 0, length)
          .copy_(slot(tensors, layer, from).narrow(1, 0, length));
    }
  }

  private Tensor slot(List<Tensor> tensors, int layer, int slot) { // (KV, capacity, hd)
    return tensors.get(layer).narrow(0, (long) slot * shape.kvHeads(), shape.kvHeads());
  }

  @Override
  public void close() {
    keys.forEach(Tensor::close);
    values.forEach(Tensor::close);
  }
}
