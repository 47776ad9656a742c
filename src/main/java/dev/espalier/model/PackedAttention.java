package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Causal attention over whole sequences: a row each, or many of them back to back in one row.
///
/// A packed row is made of spans, and each span sees itself and the spans it continues. So
/// sequences cannot see each other, nothing is padded, and a prompt that many completions share is
/// computed once.
///
/// Queries are taken [#CHUNK] at a time, each chunk against the keys before it: half the work of a
/// full square. In float32 libtorch's flash kernel does it. In 16 bit that kernel is twenty times
/// slower than plain products, so the scores are made explicitly, and the query heads of a
/// key-value head are rows of one product, so that keys and values are never expanded.
public final class PackedAttention implements Attention {
  private static final int CHUNK = 256;
  private static final float BARRED = -1e9f; // finite: two of them still add up to a number

  private final @Nullable PackedPlan plan; // null: each row is one sequence
  private final Map<Corner, Tensor> triangles = new HashMap<>();
  private @Nullable List<Tensor> masks; // of each chunk of the plan

  /// The queries of a mask and all keys up to the last of them.
  private record Corner(long queries, long keys) {}

  private PackedAttention(@Nullable PackedPlan plan) {
    this.plan = plan;
  }

  /// Plain causal attention: each row is one sequence, whose queries are those of its last
  /// positions.
  public static PackedAttention causal() {
    return new PackedAttention(null);
  }

  /// Causal attention inside the spans of one packed row, in their order.
  public static PackedAttention of(List<Span> spans) {
    if (spans.isEmpty()) throw new IllegalArgumentException("a packed row without a span");
    return new PackedAttention(PackedPlan.of(spans, CHUNK));
  }

  @Override
  public Tensor attend(int layer, Tensor query, Tensor key, Tensor value) {
    var mixed = plan == null ? whole(query, key, value) : packed(plan, query, key, value);
    return mixed.transpose(1, 2).reshape(query.size(0), query.size(2), -1);
  }

  private Tensor packed(PackedPlan plan, Tensor query, Tensor key, Tensor value) {
    // one split, whose gradient is one concatenation: slices would each add a whole row of zeros
    var sizes = plan.chunks().stream().mapToLong(PackedPlan.Chunk::queries).toArray();
    var queries = torch.split_with_sizes(query, sizes, 2);
    var pieces = plan.sizes();
    var keys = torch.split_with_sizes(key, pieces, 2);
    var values = torch.split_with_sizes(value, pieces, 2);
    if (masks == null) masks = masks(plan, Dtype.of(value));
    var mixed = new TensorVector();
    for (int i = 0; i < sizes.length; i++) {
      var chunk = plan.chunks().get(i);
      var seen = seen(plan, chunk);
      var padding = padding(chunk, value);
      mixed.push_back(
          mix(
              queries.get(i),
              join(keys, seen, padding),
              join(values, seen, padding),
              masks.get(i)));
    }
    return torch.cat(mixed, 2);
  }

  /// The pieces that a chunk's queries may see.
  private static List<Integer> seen(PackedPlan plan, PackedPlan.Chunk chunk) {
    var seen = new ArrayList<Integer>();
    int start = 0;
    for (int i = 0; i < plan.pieces().size(); i++) {
      int end = plan.pieces().get(i);
      boolean inside = start >= chunk.own() && end <= chunk.to();
      for (var range : chunk.before()) inside |= start >= range[0] && end <= range[1];
      if (inside) seen.add(i);
      start = end;
    }
    return seen;
  }

  private static @Nullable Tensor padding(PackedPlan.Chunk chunk, Tensor like) {
    if (chunk.padding() == 0) return null;
    long[] size = {like.size(0), like.size(1), chunk.padding(), like.size(3)};
    return torch.zeros(size, Dtype.of(like).options());
  }

  private static Tensor join(TensorVector pieces, List<Integer> which, @Nullable Tensor padding) {
    if (which.size() == 1 && padding == null) return pieces.get(which.getFirst());
    var joined = new TensorVector();
    for (int each : which) joined.push_back(pieces.get(each));
    if (padding != null) joined.push_back(padding);
    return torch.cat(joined, 2);
  }

  /// 0 where a chunk's queries may look and a number that bars them elsewhere: (queries, keys) for
  /// each chunk.
  private static List<Tensor> masks(PackedPlan plan, Dtype dtype) {
    var masks = new ArrayList<Tensor>();
    for (var chunk : plan.chunks()) {
      masks.add(
          torch
              .tensor(chunk.mask(BARRED), Dtype.F32.options())
              .view(chunk.queries(), chunk.keys())
              .to(dtype.scalar()));
    }
    return masks;
  }

  private Tensor whole(Tensor query, Tensor key, Tensor value) {
    long length = query.size(2);
    long before = key.size(2) - length;
    var chunks = new TensorVector();
    for (long from = 0; from < length; from += CHUNK) {
      long n = Math.min(CHUNK, length - from);
      long seen = before + from + n;
      chunks.push_back(
          mix(
              query.narrow(2, from, n),
              key.narrow(2, 0, seen),
              value.narrow(2, 0, seen),
              triangle(n, seen, value)));
    }
    return torch.cat(chunks, 2);
  }

  /// 0 where a query may look and [#BARRED] where it may not: (queries, keys), of the values' type,
  /// made at the first layer and kept for the others.
  private Tensor triangle(long queries, long keys, Tensor values) {
    return triangles.computeIfAbsent(
        new Corner(queries, keys),
        corner ->
            torch
                .full(new long[] {queries, keys}, new Scalar(BARRED))
                .triu(keys - queries + 1)
                .to(values.scalar_type()));
  }

  /// Some queries of one sequence a row.
  ///
  /// @param query (B, H, n, hd)
  /// @param key (B, KV, m, hd)
  /// @param value (B, KV, m, hd)
  /// @param mask (n, m)
  /// @return (B, H, n, hd)
  private static Tensor mix(Tensor query, Tensor key, Tensor value, Tensor mask) {
    return Dtype.F32.is(value) ? flash(query, key, value, mask) : products(query, key, value, mask);
  }

  private static Tensor flash(Tensor query, Tensor key, Tensor value, Tensor mask) {
    return torch.scaled_dot_product_attention(
        query,
        expand(key, query.size(1)),
        expand(value, query.size(1)),
        new TensorOptional(mask),
        0.0,
        false,
        new DoubleOptional(),
        false);
  }

  /// Repeats each key-value head for the query heads that share it.
  private static Tensor expand(Tensor x, long heads) {
    long each = heads / x.size(1);
    if (each == 1) return x;
    return x.unsqueeze(2)
        .expand(x.size(0), x.size(1), each, x.size(2), x.size(3))
        .reshape(x.size(0), heads, x.size(2), x.size(3));
  }

  private static Tensor products(Tensor query, Tensor key, Tensor value, Tensor mask) {
    long b = query.size(0);
    long kv = key.size(1);
    long group = query.size(1) / kv;
    long n = query.size(2);
    long hd = query.size(3);
    long seen = key.size(2);
    var rows = query.mul(new Scalar(1 / Math.sqrt((double) hd))).reshape(b * kv, group * n, hd);
    var keys = key.reshape(b * kv, seen, hd).transpose(1, 2);
    var scores = torch.bmm(rows, keys).view(b, kv, group, n, seen);
    var weights = torch.softmax(scores.add(mask), -1).view(b * kv, group * n, seen);
    return torch.bmm(weights, value.reshape(b * kv, seen, hd)).view(b, kv * group, n, hd);
  }
}
