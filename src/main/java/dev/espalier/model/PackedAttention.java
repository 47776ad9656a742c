package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Causal attention over whole rows, which may hold several sequences that must not see each other.
///
/// In float32 libtorch's flash kernel does it. In 16 bit that kernel is twenty times slower than
/// plain products, so the scores are made explicitly, [#CHUNK] queries at a time, each chunk
/// against the keys before it: half the work of a full square, and the query heads of a key-value
/// head are rows of one product, so that keys and values are never expanded.
public final class PackedAttention implements Attention {
  private static final int CHUNK = 256;
  private static final float BARRED =
      -1e9f; // finite, so that a padding row gives numbers and not NaN

  private final long length;
  private final @Nullable Tensor
      mask; // (B, 1, T, T) float32, 0 or BARRED; null means causal and nothing more
  private final List<Tensor> chunkMasks = new ArrayList<>();

  private PackedAttention(long length, @Nullable Tensor mask) {
    this.length = length;
    this.mask = mask;
  }

  /// Plain causal attention: each row of that many tokens is one sequence.
  public static PackedAttention causal(long length) {
    return new PackedAttention(length, null);
  }

  /// Causal attention inside each sequence of a packed row.
  ///
  /// @param sequence (B, T) int64, the number of the sequence that a token belongs to
  public static PackedAttention of(Tensor sequence) {
    long t = sequence.size(1);
    var same = sequence.unsqueeze(2).eq(sequence.unsqueeze(1)); // (B, T, T)
    var allowed = same.logical_and(torch.ones(t, t).tril().to(torch.ScalarType.Bool));
    var mask = allowed.logical_not().unsqueeze(1).to(Dtype.F32.scalar()).mul(new Scalar(BARRED));
    return new PackedAttention(t, mask);
  }

  @Override
  public Tensor attend(int layer, Tensor query, Tensor key, Tensor value) {
    return Dtype.F32.is(value) ? flash(query, key, value) : chunked(query, key, value);
  }

  private Tensor flash(Tensor query, Tensor key, Tensor value) {
    var mixed =
        torch.scaled_dot_product_attention(
            query,
            expand(key, query.size(1)),
            expand(value, query.size(1)),
            mask == null ? new TensorOptional() : new TensorOptional(mask),
            0.0,
            mask == null,
            new DoubleOptional(),
            false);
    return mixed.transpose(1, 2).reshape(query.size(0), query.size(2), -1);
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
    long hd = query.size(3);
    var scaled =
        query.mul(new Scalar(1 / Math.sqrt((double) hd))).reshape(b * kv, group, length, hd);
    var keys = key.reshape(b * kv, length, hd).transpose(1, 2);
    var values = value.reshape(b * kv, length, hd);
    var chunks = new TensorVector();
    for (int i = 0; (long) i * CHUNK < length; i++) {
      long from = (long) i * CHUNK;
      long n = Math.min(CHUNK, length - from);
      long seen = from + n;
      var rows = scaled.narrow(2, from, n).reshape(b * kv, group * n, hd);
      var scores = torch.bmm(rows, keys.narrow(2, 0, seen)).view(b, kv, group, n, seen);
      var weights = torch.softmax(scores.add(chunkMask(i, from, n, scores)), -1);
      var mixed = torch.bmm(weights.view(b * kv, group * n, seen), values.narrow(1, 0, seen));
      chunks.push_back(mixed.view(b, kv * group, n, hd));
    }
    return torch.cat(chunks, 2).transpose(1, 2).reshape(b, length, -1);
  }

  /// The mask of one chunk, made at the first layer and kept for the others.
  private Tensor chunkMask(int chunk, long from, long n, Tensor scores) {
    if (chunk == chunkMasks.size()) {
      var whole =
          mask == null
              ? torch.full(new long[] {n, from + n}, new Scalar(BARRED)).triu(from + 1)
              : mask.narrow(2, from, n).narrow(3, 0, from + n).unsqueeze(1);
      chunkMasks.add(whole.to(scores.scalar_type()));
    }
    return chunkMasks.get(chunk);
  }
}
