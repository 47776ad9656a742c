package dev.espalier.engine;

import dev.espalier.model.ModelShape;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/// The rows of a batch by the segment they go on from, so that each segment is read once a step
/// however many rows share it. S segments, at most M rows of one, the longest of P positions.
///
/// Rows that share nothing are counted to the first segment and see none of it.
final class PrefixGroups implements AutoCloseable {
  static final float BARRED = -1e9f;

  private final int kvHeads;
  private final List<Segment> segments;
  private final int longest;
  private final List<Tensor> keys = new ArrayList<>(); // a layer each: (S·KV, P, hd)
  private final List<Tensor> values = new ArrayList<>();
  private @Nullable Members members;

  /// Which rows belong to which segment.
  ///
  /// @param rows (S·M) int64, the row of each place; places that are free have row 0
  /// @param places (B) int64, the place of each row
  /// @param mask (B·KV, 1, P): 0 where a row may look, else [#BARRED]
  private record Members(int[] key, int most, Tensor rows, Tensor places, Tensor mask) {
    void close() {
      rows.close();
      places.close();
      mask.close();
    }
  }

  /// @param segments at least one
  PrefixGroups(List<Segment> segments, ModelShape shape) {
    this.segments = List.copyOf(segments);
    kvHeads = shape.kvHeads();
    int most = 0;
    for (var segment : segments) most = Math.max(most, segment.length());
    longest = most;
    try (var scope = new Scope()) {
      for (int layer = 0; layer < shape.layers(); layer++) {
        var ks = new TensorVector();
        var vs = new TensorVector();
        for (var segment : segments) {
          int length = segment.length();
          ks.push_back(padded(segment.keys(layer, length), most - length));
          vs.push_back(padded(segment.values(layer, length), most - length));
        }
        keys.add(scope.keep(torch.cat(ks, 0)));
        values.add(scope.keep(torch.cat(vs, 0)));
      }
    }
  }

  private static Tensor padded(Tensor x, long missing) {
    if (missing == 0) return x;
    return torch.constant_pad_nd(x, new long[] {0, 0, 0, missing}, new Scalar(0));
  }

  /// Whether all those segments are among its own.
  boolean covers(Iterable<Segment> others) {
    for (var other : others) if (!segments.contains(other)) return false;
    return true;
  }

  /// Sets what each row goes on from.
  ///
  /// @param of each row's segment; null for none
  /// @param bases how much of it each row goes on from
  void rows(List<@Nullable Segment> of, int[] bases, Dtype dtype) {
    var key = new int[2 * bases.length];
    for (int row = 0; row < bases.length; row++) {
      var segment = of.get(row);
      key[2 * row] = segment == null ? 0 : segments.indexOf(segment);
      key[2 * row + 1] = segment == null ? 0 : bases[row];
    }
    if (members != null && Arrays.equals(members.key(), key)) return;
    if (members != null) members.close();
    var counts = new int[segments.size()];
    int most = 0;
    for (int row = 0; row < bases.length; row++) {
      most = Math.max(most, ++counts[key[2 * row]]);
    }
    var rows = new long[segments.size() * most];
    var places = new long[bases.length];
    var lengths = new long[bases.length * kvHeads];
    Arrays.fill(counts, 0);
    for (int row = 0; row < bases.length; row++) {
      int group = key[2 * row];
      int place = group * most + counts[group]++;
      rows[place] = row;
      places[row] = place;
      for (int head = 0; head < kvHeads; head++) lengths[row * kvHeads + head] = key[2 * row + 1];
    }
    var whole = new TensorOptions(ScalarType.Long);
    try (var scope = new Scope()) {
      members =
          new Members(
              key,
              most,
              scope.keep(torch.tensor(rows, whole)),
              scope.keep(torch.tensor(places, whole)),
              scope.keep(barred(lengths, longest, dtype)));
    }
  }

  /// A mask that lets each row see so many positions: (rows, 1, width).
  static Tensor barred(long[] lengths, long width, Dtype dtype) {
    var whole = new TensorOptions(ScalarType.Long);
    return torch
        .arange(new Scalar(width), whole)
        .view(1, 1, -1)
        .ge(torch.tensor(lengths, whole).view(-1, 1, 1))
        .to(dtype.scalar())
        .mul(new Scalar(BARRED));
  }

  private Members members() {
    if (members == null) throw new IllegalStateException("no rows yet");
    return members;
  }

  /// What each row makes of its segment: (B·KV, G, P), masked.
  ///
  /// @param query (B·KV, G, hd), scaled
  Tensor scores(int layer, Tensor query) {
    var scores = torch.bmm(toGroups(query), keys.get(layer).transpose(1, 2)); // (S·KV, M·G, P)
    return toRows(scores, query.size(1)).add(members().mask());
  }

  /// What each row takes from its segment: (B·KV, G, hd).
  ///
  /// @param weights (B·KV, G, P)
  Tensor mixed(int layer, Tensor weights) {
    return toRows(torch.bmm(toGroups(weights), values.get(layer)), weights.size(1));
  }

  private Tensor toGroups(Tensor x) { // (B·KV, G, n) → (S·KV, M·G, n)
    long group = x.size(1);
    long n = x.size(2);
    int most = members().most();
    return x.reshape(-1, kvHeads, group, n)
        .index_select(0, members().rows())
        .view(segments.size(), most, kvHeads, group, n)
        .transpose(1, 2)
        .reshape((long) segments.size() * kvHeads, most * group, n);
  }

  private Tensor toRows(Tensor x, long group) { // (S·KV, M·G, n) → (B·KV, G, n)
    long n = x.size(2);
    int most = members().most();
    return x.view(segments.size(), kvHeads, most, group, n)
        .transpose(1, 2)
        .reshape((long) segments.size() * most, kvHeads, group, n)
        .index_select(0, members().places())
        .view(-1, group, n);
  }

  @Override
  public void close() {
    keys.forEach(Tensor::close);
    values.forEach(Tensor::close);
    if (members != null) members.close();
  }
}
