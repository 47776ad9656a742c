package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// Attention over the chunks of a packed row, with its gradients by hand. H query heads share KV
/// key-value heads, G = H / KV each.
final class AttentionPass {
  /// What a chunk keeps for its backward pass.
  ///
  /// @param query (KV, G·n, hd), scaled
  /// @param key (KV, m, hd)
  /// @param value (KV, m, hd)
  /// @param weights (KV, G·n, m)
  /// @param mixed (KV, G·n, hd)
  private record Kept(Tensor query, Tensor key, Tensor value, Tensor weights, Tensor mixed) {}

  private final PackedPlan plan;
  private final List<Tensor> masks;
  private final long heads;
  private final long kvHeads;
  private final long headDim;
  private final Scalar scale;
  private final List<Kept> kept = new ArrayList<>();

  /// @param masks of the plan's chunks
  AttentionPass(PackedPlan plan, List<Tensor> masks, ModelShape shape) {
    this.plan = plan;
    this.masks = masks;
    heads = shape.heads();
    kvHeads = shape.kvHeads();
    headDim = shape.headDim();
    scale = new Scalar(1 / Math.sqrt((double) headDim));
  }

  /// @param query (H, T, hd)
  /// @param key (KV, T, hd)
  /// @param value (KV, T, hd)
  /// @return (T, H·hd)
  Tensor forward(Tensor query, Tensor key, Tensor value) {
    long length = query.size(1);
    long group = heads / kvHeads;
    var queries = query.mul(scale).view(kvHeads, group, length, headDim);
    var out = torch.empty(new long[] {length, heads * headDim}, query.options(), null);
    for (int i = 0; i < plan.chunks().size(); i++) {
      var chunk = plan.chunks().get(i);
      long n = chunk.queries();
      var rows = queries.narrow(2, chunk.from(), n).reshape(kvHeads, group * n, headDim);
      var keys = gather(key, chunk);
      var values = gather(value, chunk);
      var scores = torch.bmm(rows, keys.transpose(1, 2)); // (KV, G·n, m)
      scores.view(kvHeads, group, n, -1).add_(masks.get(i));
      var weights = torch.softmax(scores, -1);
      var mixed = torch.bmm(weights, values);
      byToken(out, chunk).copy_(mixed.view(kvHeads, group, n, headDim));
      kept.add(new Kept(rows, keys, values, weights, mixed));
    }
    return out;
  }

  /// The part of (T, H·hd) that belongs to a chunk, as (KV, G, n, hd).
  private Tensor byToken(Tensor x, PackedPlan.Chunk chunk) {
    return x.narrow(0, chunk.from(), chunk.queries())
        .view(chunk.queries(), kvHeads, heads / kvHeads, headDim)
        .permute(1, 2, 0, 3);
  }

  private static Tensor gather(Tensor x, PackedPlan.Chunk chunk) {
    var own = x.narrow(1, chunk.own(), chunk.to() - (long) chunk.own());
    if (chunk.before().isEmpty() && chunk.padding() == 0) return own.contiguous();
    var all = new TensorVector();
    for (var range : chunk.before()) all.push_back(x.narrow(1, range[0], range[1] - range[0]));
    all.push_back(own);
    if (chunk.padding() > 0) {
      all.push_back(torch.zeros(new long[] {x.size(0), chunk.padding(), x.size(2)}, x.options()));
    }
    return torch.cat(all, 1);
  }

  /// Gradients of query, key and value, in their shapes.
  ///
  /// @param gradient of the output, (T, H·hd)
  /// @return those of keys and values in float32, for they are sums over chunks
  Tensor[] backward(Tensor gradient) {
    long length = gradient.size(0);
    long group = heads / kvHeads;
    var dq = torch.empty(new long[] {kvHeads, group, length, headDim}, gradient.options(), null);
    long[] size = {kvHeads, length, headDim};
    var dk = torch.zeros(size, Dtype.F32.options());
    var dv = torch.zeros(size, Dtype.F32.options());
    for (int i = 0; i < plan.chunks().size(); i++) {
      var chunk = plan.chunks().get(i);
      var one = kept.get(i);
      long n = chunk.queries();
      var out = byToken(gradient, chunk).reshape(kvHeads, group * n, headDim);
      scatter(dv, chunk, torch.bmm(one.weights().transpose(1, 2), out));
      // the gradient of a softmax: p · (g − Σ g·p), and Σ g·p over keys is Σ out · mixed over hd
      var sums = out.mul(one.mixed()).sum(new long[] {-1}, true, new ScalarTypeOptional());
      var scores = torch.bmm(out, one.value().transpose(1, 2)).sub_(sums).mul_(one.weights());
      dq.narrow(2, chunk.from(), n)
          .copy_(torch.bmm(scores, one.key()).view(kvHeads, group, n, headDim));
      scatter(dk, chunk, torch.bmm(scores.transpose(1, 2), one.query()));
    }
    return new Tensor[] {dq.mul_(scale).view(heads, length, headDim), dk, dv};
  }

  /// Adds a chunk's part (KV, m, hd) to where its keys came from.
  private static void scatter(Tensor to, PackedPlan.Chunk chunk, Tensor part) {
    long at = 0;
    for (var range : chunk.before()) {
      long count = range[1] - (long) range[0];
      to.narrow(1, range[0], count).add_(part.narrow(1, at, count));
      at += count;
    }
    long own = chunk.to() - (long) chunk.own();
    to.narrow(1, chunk.own(), own).add_(part.narrow(1, at, own));
  }
}
