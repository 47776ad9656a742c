package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.LowRank;
import dev.espalier.tensor.RowProduct;
import dev.espalier.tensor.Scope;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/// Different adapters for the rows of one batch. On the device's thread only.
///
/// In bfloat16 every row is computed from its adapter's matrices where they lie ([LowRank]).
/// Elsewhere the rows of each adapter are brought together: the adapters of the batch stand in the
/// first places of one stack a projection, where only those that come and go are copied. Ranks may
/// differ: a smaller one is filled with zeros.
public final class MixedAdapters implements Adapters, AutoCloseable {
  /// The matrices of all places of a projection, those of nobody zero.
  private final class Stack {
    private final long in;
    private final long out;
    private Tensor a; // (places, in, rank)
    private Tensor b; // (places, rank, out)

    Stack(FrozenLora.Pair like) {
      in = like.a().size(1);
      out = like.b().size(1);
      try (var scope = new Scope()) {
        a = scope.keep(zeros(0, in, 0));
        b = scope.keep(zeros(0, 0, out));
      }
    }

    private Tensor zeros(long... size) {
      return torch.zeros(size, dtype.options());
    }

    void reserve(long places, long rank) {
      long oldPlaces = a.size(0);
      long oldRank = a.size(2);
      if (places <= oldPlaces && rank <= oldRank) return;
      long newPlaces = Math.max(oldPlaces, places);
      long newRank = Math.max(oldRank, rank);
      try (var scope = new Scope()) {
        var widerA = scope.keep(zeros(newPlaces, in, newRank));
        var widerB = scope.keep(zeros(newPlaces, newRank, out));
        widerA.narrow(0, 0, oldPlaces).narrow(2, 0, oldRank).copy_(a);
        widerB.narrow(0, 0, oldPlaces).narrow(1, 0, oldRank).copy_(b);
        close();
        a = widerA;
        b = widerB;
      }
    }

    void put(int place, FrozenLora.@Nullable Pair pair) {
      try (var _ = new Scope()) {
        var ownA = a.select(0, place);
        var ownB = b.select(0, place);
        ownA.zero_();
        ownB.zero_();
        if (pair == null) return;
        long rank = pair.a().size(0);
        ownA.narrow(1, 0, rank).copy_(pair.a().t());
        ownB.narrow(0, 0, rank).copy_(pair.b());
      }
    }

    void move(int from, int to) {
      try (var _ = new Scope()) {
        a.select(0, to).copy_(a.select(0, from));
        b.select(0, to).copy_(b.select(0, from));
      }
    }

    /// (B, in) → (B, out)
    Tensor apply(Tensor input) {
      int count = places.size();
      var together = input.index_select(0, gathered()).view(count, -1, in);
      var down = torch.bmm(together, a.narrow(0, 0, count));
      return torch.bmm(down, b.narrow(0, 0, count)).view(-1, out).index_select(0, spread());
    }

    void close() {
      a.close();
      b.close();
    }
  }

  private final Dtype dtype;
  private final boolean byRow;
  private final Map<String, Stack> stacks = new HashMap<>();
  private final List<@Nullable FrozenLora> places = new ArrayList<>(); // null is the base alone
  private List<@Nullable FrozenLora> rows = List.of();
  private @Nullable Tensor gathered; // (places · most), the row that stands there
  private @Nullable Tensor spread; // (B), where each row stands

  /// @param dtype of the adapters
  public MixedAdapters(Dtype dtype) {
    this.dtype = dtype;
    byRow = RowProduct.computes(dtype);
  }

  /// Says which adapter each row of the batch has.
  ///
  /// @param adapters null is the base alone
  public void rows(List<@Nullable FrozenLora> adapters) {
    if (adapters.equals(rows)) return;
    if (byRow) {
      rows = new ArrayList<>(adapters);
      return;
    }
    settle(adapters);
    var standing = new ArrayList<List<Integer>>();
    for (int i = 0; i < places.size(); i++) standing.add(new ArrayList<>());
    for (int row = 0; row < adapters.size(); row++) {
      standing.get(places.indexOf(adapters.get(row))).add(row);
    }
    int most = 1; // a power of two: sizes that come often
    while (most < longest(standing)) most *= 2;
    var from = new long[places.size() * most];
    var to = new long[adapters.size()];
    for (int place = 0; place < places.size(); place++) {
      for (int i = 0; i < standing.get(place).size(); i++) {
        int row = standing.get(place).get(i);
        from[place * most + i] = row;
        to[row] = (long) place * most + i;
      }
    }
    closeIndices();
    try (var scope = new Scope()) {
      var whole = new TensorOptions(ScalarType.Long);
      gathered = scope.keep(torch.tensor(from, whole));
      spread = scope.keep(torch.tensor(to, whole));
    }
    rows = new ArrayList<>(adapters);
  }

  private static int longest(List<List<Integer>> standing) {
    return standing.stream().mapToInt(List::size).max().orElse(0);
  }

  /// Gives every adapter a place, and leaves none between them.
  private void settle(List<@Nullable FrozenLora> adapters) {
    var wanted = new HashSet<>(adapters);
    for (int place = places.size() - 1; place >= 0; place--) {
      if (wanted.contains(places.get(place))) continue;
      int last = places.size() - 1;
      if (place < last) {
        for (var stack : stacks.values()) stack.move(last, place);
        places.set(place, places.get(last));
      }
      places.removeLast();
    }
    wanted.removeAll(places);
    for (var adapter : wanted) put(adapter);
  }

  private void put(@Nullable FrozenLora adapter) {
    int place = places.size();
    places.add(adapter);
    if (adapter != null) {
      for (var name : adapter.projections()) {
        var pair = adapter.pair(name);
        if (pair == null) continue;
        stacks.computeIfAbsent(name, it -> new Stack(pair)).reserve(0, pair.a().size(0));
      }
    }
    long room = Math.max(4, Integer.highestOneBit(2 * place));
    stacks.forEach((name, stack) -> {
      stack.reserve(place < stack.a.size(0) ? place : room, 0);
      stack.put(place, adapter == null ? null : adapter.pair(name));
    });
  }

  private Tensor gathered() {
    if (gathered == null) throw new IllegalStateException("no rows were named");
    return gathered;
  }

  private Tensor spread() {
    if (spread == null) throw new IllegalStateException("no rows were named");
    return spread;
  }

  @Override
  public Tensor apply(Projection projection, Tensor input, Tensor output) {
    if (byRow) {
      var each = new ArrayList<@Nullable LowRank>();
      for (var row : rows) {
        var pair = row == null ? null : row.pair(projection.name());
        each.add(pair == null ? null : pair.rows());
      }
      LowRank.add(each, input.contiguous(), output);
      return output;
    }
    var stack = stacks.get(projection.name());
    if (stack == null) return output;
    return output.add_(stack.apply(input.view(-1, stack.in)).view_as(output));
  }

  private void closeIndices() {
    if (gathered != null) gathered.close();
    if (spread != null) spread.close();
  }

  @Override
  public void close() {
    stacks.values().forEach(Stack::close);
    closeIndices();
  }
}
