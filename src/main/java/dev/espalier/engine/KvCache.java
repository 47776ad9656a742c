package dev.espalier.engine;

import dev.espalier.model.ModelShape;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Memory;
import dev.espalier.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Keys and values of the running sequences beyond the starts they share: one slot each, the
/// running ones always in the first slots.
///
/// Grows with the longest of them, [#STEP] positions at a time: sizes that stay the same for a
/// while let libtorch use its compiled products again. On the device's thread only.
final class KvCache implements AutoCloseable {
  /// Slots come in multiples of twice this many.
  static final int ROWS = 4;

  private static final int STEP = 64;

  private final ModelShape shape;
  private final int slots;
  private final Dtype dtype;
  private final List<Tensor> keys = new ArrayList<>(); // a layer each: (slots·KV, capacity, hd)
  private final List<Tensor> values = new ArrayList<>();
  private int capacity;

  KvCache(ModelShape shape, int slots, Dtype dtype) {
    this.shape = shape;
    this.slots = padded(slots);
    this.dtype = dtype;
  }

  private static int padded(int slots) {
    return (slots + 2 * ROWS - 1) / (2 * ROWS) * (2 * ROWS);
  }

  /// How many tokens a sequence can have with so many bytes for all slots: at most the model's
  /// context.
  ///
  /// @throws IllegalArgumentException if that is hardly any
  static int longest(ModelShape shape, int slots, Dtype dtype, long bytes) {
    long token = 2L * shape.layers() * shape.kvHeads() * shape.headDim() * dtype.bytes();
    long longest = bytes / (token * (padded(slots) + 1)) / STEP * STEP;
    if (longest < STEP) {
      throw new IllegalArgumentException(
          "%s are not enough for the keys and values of %d sequences, which take %s for every %d tokens: decode fewer at once"
              .formatted(
                  Memory.size(bytes),
                  slots,
                  Memory.size(token * (padded(slots) + 1) * STEP),
                  STEP));
    }
    return (int) Math.min(longest, shape.context());
  }

  /// Makes room for that many positions a slot.
  void reserve(int length) {
    if (length <= capacity) return;
    int wanted = rounded(length);
    try (var scope = new Scope()) {
      for (int layer = 0; layer < shape.layers(); layer++) {
        grow(scope, keys, layer, wanted);
        grow(scope, values, layer, wanted);
      }
    }
    capacity = wanted;
  }

  private static int rounded(int length) {
    return (length + STEP - 1) / STEP * STEP;
  }

  private void grow(Scope scope, List<Tensor> tensors, int layer, int wanted) {
    long[] size = {(slots + 1L) * shape.kvHeads(), wanted, shape.headDim()}; // and a scratch
    var grown = scope.keep(torch.zeros(size, dtype.options()));
    if (layer == tensors.size()) {
      tensors.add(grown);
      return;
    }
    grown.narrow(1, 0, capacity).copy_(tensors.get(layer));
    tensors.set(layer, grown).close();
  }

  /// The slot for what nobody will read.
  int scratch() {
    return slots;
  }

  /// How many positions [#keys] and [#values] have for sequences of that length.
  int width(int length) {
    return Math.min(capacity, rounded(length));
  }

  /// The keys of the first slots, up to a [#width]: (rows·KV, width, hd), contiguous.
  Tensor keys(int layer, int rows, long width) {
    return first(keys.get(layer), rows, width);
  }

  /// The values of the first slots, up to a [#width].
  Tensor values(int layer, int rows, long width) {
    return first(values.get(layer), rows, width);
  }

  /// Whole where it can be, else copied: products would copy a part number by number.
  private Tensor first(Tensor all, int rows, long width) {
    return all.narrow(0, 0, (long) rows * shape.kvHeads()).narrow(1, 0, width).contiguous();
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
  /// @param slot of each row
  /// @param positions of each row's token in its slot
  long[] places(int[] slot, int[] positions) {
    int heads = shape.kvHeads();
    var places = new long[positions.length * heads];
    for (int i = 0; i < places.length; i++) {
      int row = i / heads;
      places[i] = ((long) slot[row] * heads + i % heads) * capacity + positions[row];
    }
    return places;
  }

  /// Stores keys and values, each (KV, T, hd), in a slot from that position on.
  void fill(int layer, int slot, int position, Tensor key, Tensor value) {
    slot(keys, layer, slot).narrow(1, position, key.size(1)).copy_(key);
    slot(values, layer, slot).narrow(1, position, value.size(1)).copy_(value);
  }

  /// The keys of a sequence: those of its start, then those of its slot.
  ///
  /// @param base how much of the segment it goes on from
  /// @param length of the sequence
  /// @return (KV, length, hd)
  Tensor keysOf(int layer, @Nullable Segment segment, int base, int slot, int length) {
    var own = slot(keys, layer, slot).narrow(1, 0, length - base);
    return segment == null ? own : join(segment.keys(layer, base), own);
  }

  /// The values of a sequence, likewise.
  Tensor valuesOf(int layer, @Nullable Segment segment, int base, int slot, int length) {
    var own = slot(values, layer, slot).narrow(1, 0, length - base);
    return segment == null ? own : join(segment.values(layer, base), own);
  }

  private static Tensor join(Tensor start, Tensor own) {
    var both = new TensorVector();
    both.push_back(start);
    both.push_back(own);
    return torch.cat(both, 1);
  }

  /// Copies the first positions of a slot to another.
  void copy(int from, int to, int length) {
    for (int layer = 0; layer < shape.layers(); layer++) copy(layer, from, to, length);
  }

  /// Copies one layer of the first positions of a slot to another.
  void copy(int layer, int from, int to, int length) {
    for (var tensors : List.of(keys, values)) {
      slot(tensors, layer, to)
          .narrow(1, 0, length)
          .copy_(slot(tensors, layer, from).narrow(1, 0, length));
    }
  }

  /// Exchanges the first positions of two slots.
  void swap(int one, int other, int length) {
    int most = Math.min(length, capacity);
    if (most == 0) return;
    try (var scope = new Scope()) {
      for (int layer = 0; layer < shape.layers(); layer++) {
        for (var tensors : List.of(keys, values)) {
          var first = slot(tensors, layer, one).narrow(1, 0, most);
          var second = slot(tensors, layer, other).narrow(1, 0, most);
          var kept = first.clone();
          first.copy_(second);
          second.copy_(kept);
        }
      }
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
