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

/// Causal attention over whole sequences: a row each, or many of them back to back in one row.
///
/// A packed row is made of spans, and each span sees itself and the spans it continues. So
/// sequences cannot see each other, nothing is padded, and a prompt that many completions share is
/// computed once.
///
/// In float32 libtorch's flash kernel does it. In 16 bit that kernel is twenty times slower than
/// plain products, so the scores are made explicitly, [#CHUNK] queries at a time, each chunk
/// against the keys before it: half the work of a full square, and the query heads of a key-value
/// head are rows of one product, so that keys and values are never expanded.
public final class PackedAttention implements Attention {
  private static final int CHUNK = 256;
  private static final float BARRED = -1e9f; // finite: two of them still add up to a number

  private final List<Span> spans; // empty: each row is one sequence
  private final Map<Corner, Tensor> masks = new HashMap<>();

  /// The queries of a mask and all keys up to the last of them.
  private record Corner(long queries, long keys) {}

  private PackedAttention(List<Span> spans) {
    this.spans = List.copyOf(spans);
  }

  /// Plain causal attention: each row is one sequence.
  public static PackedAttention causal() {
    return new PackedAttention(List.of());
  }

  /// Causal attention inside the spans of one packed row, in their order.
  public static PackedAttention of(List<Span> spans) {
    if (spans.isEmpty()) throw new IllegalArgumentException("a packed row without a span");
    return new PackedAttention(spans);
  }

  @Override
  public Tensor attend(int layer, Tensor query, Tensor key, Tensor value) {
    var mixed = spans.isEmpty() ? mix(query, key, value) : packed(query, key, value);
    return mixed.transpose(1, 2).reshape(query.size(0), query.size(2), -1);
  }

  private Tensor packed(Tensor query, Tensor key, Tensor value) {
    var lengths = spans.stream().mapToLong(Span::length).toArray();
    // one split, whose gradient is one concatenation: slices would each add a whole row of zeros
    var queries = torch.split_with_sizes(query, lengths, 2);
    var ownKeys = torch.split_with_sizes(key, lengths, 2);
    var ownValues = torch.split_with_sizes(value, lengths, 2);
    var keys = new ArrayList<Tensor>();
    var values = new ArrayList<Tensor>();
    var mixed = new TensorVector();
    for (int i = 0; i < spans.size(); i++) {
      int parent = spans.get(i).parent();
      keys.add(parent < 0 ? ownKeys.get(i) : join(keys.get(parent), ownKeys.get(i)));
      values.add(parent < 0 ? ownValues.get(i) : join(values.get(parent), ownValues.get(i)));
      mixed.push_back(mix(queries.get(i), keys.get(i), values.get(i)));
    }
    return torch.cat(mixed, 2);
  }

  private static Tensor join(Tensor before, Tensor after) {
    var both = new TensorVector();
    both.push_back(before);
    both.push_back(after);
    return torch.cat(both, 2);
  }

  /// One sequence a row, whose queries are those of its last positions.
  ///
  /// @param query (B, H, n, hd)
  /// @param key (B, KV, m, hd), m at least n
  /// @param value (B, KV, m, hd)
  /// @return (B, H, n, hd)
  private Tensor mix(Tensor query, Tensor key, Tensor value) {
    return Dtype.F32.is(value) ? flash(query, key, value) : chunked(query, key, value);
  }

  private Tensor flash(Tensor query, Tensor key, Tensor value) {
    boolean whole = query.size(2) == key.size(2);
    return torch.scaled_dot_product_attention(
        query,
        expand(key, query.size(1)),
        expand(value, query.size(1)),
        whole ? new TensorOptional() : new TensorOptional(mask(query.size(2), key.size(2), value)),
        0.0,
        whole,
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

  private Tensor chunked(Tensor query, Tensor key, Tensor value) {
    long b = query.size(0);
    long kv = key.size(1);
    long group = query.size(1) / kv;
    long length = query.size(2);
    long hd = query.size(3);
    long before = key.size(2) - length;
    var scaled =
        query.mul(new Scalar(1 / Math.sqrt((double) hd))).reshape(b * kv, group, length, hd);
    var keys = key.reshape(b * kv, before + length, hd).transpose(1, 2);
    var values = value.reshape(b * kv, before + length, hd);
    var chunks = new TensorVector();
    for (long from = 0; from < length; from += CHUNK) {
      long n = Math.min(CHUNK, length - from);
      long seen = before + from + n;
      var rows = scaled.narrow(2, from, n).reshape(b * kv, group * n, hd);
      var scores = torch.bmm(rows, keys.narrow(2, 0, seen)).view(b, kv, group, n, seen);
      var weights = torch.softmax(scores.add(mask(n, seen, value)), -1);
      var mixed = torch.bmm(weights.view(b * kv, group * n, seen), values.narrow(1, 0, seen));
      chunks.push_back(mixed.view(b, kv * group, n, hd));
    }
    return torch.cat(chunks, 2);
  }

  /// 0 where a query may look and [#BARRED] where it may not: (queries, keys), of the values' type,
  /// made at the first layer and kept for the others.
  private Tensor mask(long queries, long keys, Tensor values) {
    return masks.computeIfAbsent(
        new Corner(queries, keys),
        corner ->
            torch
                .full(new long[] {queries, keys}, new Scalar(BARRED))
                .triu(keys - queries + 1)
                .to(values.scalar_type()));
  }
}
