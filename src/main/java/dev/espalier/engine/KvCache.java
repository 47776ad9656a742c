package dev.espalier.engine;

import dev.espalier.model.ModelShape;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.KeyValues;
import dev.espalier.tensor.Memory;
import dev.espalier.tensor.Rows;
import dev.espalier.tensor.Scope;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Keys and values of sequences, one slot each: those of the running ones are always in the first.
///
/// Grows with the longest of them, [#STEP] positions at a time. On the device's thread only.
final class KvCache implements AutoCloseable {
  private static final int STEP = 64;

  private final ModelShape shape;
  private final int slots;
  private final Dtype dtype;
  private final Rows rows;
  private final List<Tensor> keys = new ArrayList<>(); // a layer each: (slots·KV, capacity, hd)
  private final List<Tensor> values = new ArrayList<>();
  private final Function<long[], Tensor> zeros; // of that size
  private final long[] addresses; // of each layer's keys and values
  private final int[] capacities; // of each layer
  private int capacity; // that every layer has

  KvCache(ModelShape shape, int slots, Dtype dtype) {
    this(shape, slots, dtype, size -> torch.zeros(size, dtype.options()));
  }

  /// @param zeros makes a tensor of that size, or throws where there is no memory for it
  KvCache(ModelShape shape, int slots, Dtype dtype, Function<long[], Tensor> zeros) {
    this.shape = shape;
    this.slots = slots;
    this.dtype = dtype;
    this.zeros = zeros;
    rows = new Rows(dtype);
    addresses = new long[2 * shape.layers()];
    capacities = new int[shape.layers()];
  }

  /// How many sequences of that length have room in so many bytes: one at least, whatever it takes.
  static int slots(ModelShape shape, Dtype dtype, long bytes, int length, int most) {
    long each = token(shape, dtype) * Math.min(length, shape.context());
    return Math.clamp(bytes / each, 1, most);
  }

  /// Bytes of so many sequences of that length.
  static long bytes(ModelShape shape, Dtype dtype, int slots, int length) {
    return token(shape, dtype) * slots * length;
  }

  private static long token(ModelShape shape, Dtype dtype) {
    return 2L * shape.layers() * shape.kvHeads() * shape.headDim() * dtype.bytes();
  }

  /// How many tokens a sequence can have with so many bytes for all slots: at most the model's
  /// context.
  ///
  /// @throws IllegalArgumentException if that is hardly any
  static int longest(ModelShape shape, int slots, Dtype dtype, long bytes) {
    long token = token(shape, dtype);
    long longest = bytes / (token * slots) / STEP * STEP;
    if (longest < STEP) {
      throw new IllegalArgumentException(
          "%s are not enough for the keys and values of %d sequences, which take %s for every %d tokens: decode fewer at once"
              .formatted(Memory.size(bytes), slots, Memory.size(token * slots * STEP), STEP));
    }
    return (int) Math.min(longest, shape.context());
  }

  /// Makes room for that many positions a slot.
  ///
  /// A layer at a time, so that no more than one is there twice. Where memory ends halfway, what
  /// was stored stays, and some layers have more room than others.
  void reserve(int length) {
    if (length <= capacity) return;
    int wanted = rounded(length);
    for (int layer = 0; layer < shape.layers(); layer++) {
      if (capacities[layer] < wanted) grow(layer, wanted);
    }
    capacity = wanted;
  }

  private static int rounded(int length) {
    return (length + STEP - 1) / STEP * STEP;
  }

  private void grow(int layer, int wanted) {
    try (var scope = new Scope()) {
      var key = grown(keys, layer, wanted);
      var value = grown(values, layer, wanted); // both before either takes its place
      put(keys, layer, scope.keep(key));
      put(values, layer, scope.keep(value));
      addresses[2 * layer] = key.data_ptr().address();
      addresses[2 * layer + 1] = value.data_ptr().address();
      capacities[layer] = wanted;
    }
  }

  private Tensor grown(List<Tensor> tensors, int layer, int wanted) {
    var grown = zeros.apply(new long[] {(long) slots * shape.kvHeads(), wanted, shape.headDim()});
    if (layer < tensors.size()) {
      grown.narrow(1, 0, capacities[layer]).copy_(tensors.get(layer));
    }
    return grown;
  }

  private static void put(List<Tensor> tensors, int layer, Tensor grown) {
    if (layer == tensors.size()) tensors.add(grown);
    else tensors.set(layer, grown).close();
  }

  /// Where the first positions of a slot lie.
  ///
  /// @throws IndexOutOfBoundsException if there is no such slot, or it has fewer
  KeyValues at(int layer, int slot, int length) {
    Objects.checkIndex(slot, slots);
    Objects.checkFromToIndex(0, length, capacities[layer]);
    long apart = (long) capacities[layer] * shape.headDim() * dtype.bytes();
    long before = (long) slot * shape.kvHeads() * apart;
    return new KeyValues(
        addresses[2 * layer] + before, addresses[2 * layer + 1] + before, apart, length);
  }

  /// Stores keys and values, each (KV, T, hd), in a slot from that position on.
  ///
  /// Libtorch takes longer to be asked for so little than copying does: it was a twentieth of a
  /// reinforcement step.
  void fill(int layer, int slot, int position, Tensor key, Tensor value) {
    int end = position + Math.toIntExact(key.size(1));
    var place = at(layer, slot, end);
    store(key, after(place.keys(), position), place.apart());
    store(value, after(place.values(), position), place.apart());
  }

  /// @param to where the first head's go
  /// @param apart bytes from one head to the next
  private void store(Tensor heads, long to, long apart) {
    var of = Dtype.of(heads) == dtype ? heads : heads.to(dtype.scalar());
    if (of.stride(2) != 1) of = of.contiguous();
    long from = Rows.at(of);
    long tokens = of.size(1);
    boolean together = of.stride(1) == shape.headDim();
    for (int head = 0; head < shape.kvHeads(); head++) {
      long row = rows.after(from, head * of.stride(0));
      long at = to + head * apart;
      if (together) {
        rows.copy(row, at, Math.toIntExact(tokens * shape.headDim()));
        continue;
      }
      for (int t = 0; t < tokens; t++) {
        rows.copy(rows.after(row, t * of.stride(1)), after(at, t), shape.headDim());
      }
    }
  }

  /// The place of a position, from that of a slot's first.
  private long after(long first, int position) {
    return rows.after(first, (long) position * shape.headDim());
  }

  /// The keys of a slot's first positions: (KV, length, hd).
  Tensor keys(int layer, int slot, long length) {
    return slot(keys, layer, slot).narrow(1, 0, length);
  }

  /// The values of a slot's first positions.
  Tensor values(int layer, int slot, long length) {
    return slot(values, layer, slot).narrow(1, 0, length);
  }

  /// The keys of a sequence: those of its start, then those of its slot.
  ///
  /// @param base how much of the segment it goes on from
  /// @param length of the sequence
  /// @return (KV, length, hd)
  Tensor keysOf(int layer, @Nullable Segment segment, int base, int slot, int length) {
    var own = keys(layer, slot, length - base);
    return segment == null ? own : join(segment.keys(layer, base), own);
  }

  /// The values of a sequence, likewise.
  Tensor valuesOf(int layer, @Nullable Segment segment, int base, int slot, int length) {
    var own = values(layer, slot, length - base);
    return segment == null ? own : join(segment.values(layer, base), own);
  }

  private static Tensor join(Tensor start, Tensor own) {
    var both = new TensorVector();
    both.push_back(start);
    both.push_back(own);
    return torch.cat(both, 1);
  }

  /// What it takes.
  long bytes() {
    long bytes = 0;
    for (var tensor : keys) bytes += 2 * tensor.nbytes();
    return bytes;
  }

  /// Copies the first positions of a slot to another.
  void copy(int from, int to, int length) {
    for (int layer = 0; layer < shape.layers(); layer++) copy(layer, from, to, length);
  }

  /// Copies one layer of the first positions of a slot to another.
  void copy(int layer, int from, int to, int length) {
    var one = at(layer, from, length);
    var other = at(layer, to, length);
    int count = length * shape.headDim();
    for (int head = 0; head < shape.kvHeads(); head++) {
      long skipped = head * one.apart();
      rows.copy(one.keys() + skipped, other.keys() + skipped, count);
      rows.copy(one.values() + skipped, other.values() + skipped, count);
    }
  }

  /// Exchanges the first positions of two slots.
  void swap(int one, int other, int length) {
    int most = Math.min(length, capacity);
    if (most == 0) return;
    int count = most * shape.headDim();
    try (var arena = Arena.ofConfined()) {
      long room = arena.allocate(rows.after(0, count)).address();
      for (int layer = 0; layer < shape.layers(); layer++) {
        var first = at(layer, one, most);
        var second = at(layer, other, most);
        for (int head = 0; head < shape.kvHeads(); head++) {
          long skipped = head * first.apart();
          swap(first.keys() + skipped, second.keys() + skipped, count, room);
          swap(first.values() + skipped, second.values() + skipped, count, room);
        }
      }
    }
  }

  private void swap(long one, long other, int count, long room) {
    rows.copy(one, room, count);
    rows.copy(other, one, count);
    rows.copy(room, other, count);
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
