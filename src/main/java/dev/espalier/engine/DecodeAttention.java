package dev.espalier.engine;

import dev.espalier.model.Attention;
import dev.espalier.tensor.Dtype;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/// One new token a row against the row's cached past: the start it shares with others, and its own.
///
/// The query heads that share a key-value head are rows of one product, so that the cache is read
/// once and never expanded.
final class DecodeAttention implements Attention {
  private final KvCache cache;
  private final @Nullable PrefixGroups prefixes;
  private final int rows;
  private final int width;
  private final Tensor at; // (rows·KV) int64, where each row's heads go
  private final Tensor mask; // (rows·KV, 1, width)

  /// @param slots where each row's token goes: its own number, or a scratch
  /// @param positions of each row's new token in its slot
  /// @param prefixes what the rows share; null for nothing
  DecodeAttention(
      KvCache cache,
      int[] slots,
      int[] positions,
      @Nullable PrefixGroups prefixes,
      int kvHeads,
      Dtype dtype) {
    this.cache = cache;
    this.prefixes = prefixes;
    rows = positions.length;
    int longest = 0;
    for (int position : positions) longest = Math.max(longest, position + 1);
    width = cache.width(longest);
    var lengths = new long[rows * kvHeads];
    for (int i = 0; i < lengths.length; i++) lengths[i] = positions[i / kvHeads] + 1L;
    at = torch.tensor(cache.places(slots, positions), new TensorOptions(ScalarType.Long));
    mask = PrefixGroups.barred(lengths, width, dtype);
  }

  @Override
  public Tensor attend(int layer, Tensor query, Tensor key, Tensor value) {
    long heads = query.size(1);
    long kv = key.size(1);
    long hd = query.size(3);
    cache.append(layer, at, key.reshape(rows * kv, hd), value.reshape(rows * kv, hd));
    var keys = cache.keys(layer, rows, width);
    var values = cache.values(layer, rows, width);
    var scaled =
        query.mul(new Scalar(1 / Math.sqrt((double) hd))).reshape(rows * kv, heads / kv, hd);
    var scores = torch.bmm(scaled, keys.transpose(1, 2)).add(mask); // (rows·KV, G, width)
    if (prefixes == null) {
      return torch.bmm(torch.softmax(scores, -1), values).view(rows, 1, heads * hd);
    }
    var both = new TensorVector();
    both.push_back(prefixes.scores(layer, scaled));
    both.push_back(scores);
    var weights = torch.softmax(torch.cat(both, 2), -1);
    long shared = weights.size(2) - width;
    var start = prefixes.mixed(layer, weights.narrow(2, 0, shared));
    var own = weights.narrow(2, shared, width).contiguous();
    return torch.baddbmm(start, own, values).view(rows, 1, heads * hd);
  }
}
