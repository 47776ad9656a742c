package dev.espalier.engine;

import dev.espalier.model.Attention;
import dev.espalier.tensor.Dtype;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// One new token a row against the row's cached past.
///
/// The query heads that share a key-value head are rows of one product, so that the cache is read
/// once and never expanded.
final class DecodeAttention implements Attention {
  private static final float BARRED = -1e9f;

  private final KvCache cache;
  private final int rows;
  private final int longest;
  private final Tensor at; // (rows·KV) int64, where each row's heads go
  private final Tensor mask; // (rows·KV, 1, longest), 0 or BARRED

  /// @param positions the position of each row's new token; row i is in slot i
  DecodeAttention(KvCache cache, int[] positions, int kvHeads, Dtype dtype) {
    this.cache = cache;
    rows = positions.length;
    int max = 0;
    for (int position : positions) max = Math.max(max, position);
    longest = max + 1;
    var last = new long[rows * kvHeads];
    for (int i = 0; i < last.length; i++) last[i] = positions[i / kvHeads];
    var whole = new TensorOptions(ScalarType.Long);
    at = torch.tensor(cache.places(positions), whole);
    mask =
        torch
            .arange(new Scalar(longest), whole)
            .view(1, 1, -1)
            .gt(torch.tensor(last, whole).view(-1, 1, 1))
            .to(dtype.scalar())
            .mul(new Scalar(BARRED));
  }

  @Override
  public Tensor attend(int layer, Tensor query, Tensor key, Tensor value) {
    long heads = query.size(1);
    long kv = key.size(1);
    long hd = query.size(3);
    cache.append(layer, at, key.reshape(rows * kv, hd), value.reshape(rows * kv, hd));
    // copied whole before it is turned: the product would copy it number by number
    var keys = cache.keys(layer, rows, longest).contiguous();
    var values = cache.values(layer, rows, longest);
    var scaled =
        query.mul(new Scalar(1 / Math.sqrt((double) hd))).reshape(rows * kv, heads / kv, hd);
    var scores = torch.bmm(scaled, keys.transpose(1, 2)); // (rows·KV, G, longest)
    var weights = torch.softmax(scores.add(mask), -1);
    return torch.bmm(weights, values).view(rows, 1, heads * hd);
  }
}
