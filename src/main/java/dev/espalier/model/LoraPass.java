package dev.espalier.model;

import dev.espalier.model.Rotary.Angles;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Dtype;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// One packed row through the model and back, for the gradients of an adapter on a frozen base.
///
/// Computes what [Decoder#hidden] does, step by step in the same order, and keeps what the backward
/// pass needs. The gradients are written by hand: recording every operator costs more than many of
/// them, and nothing is computed for weights that do not change.
public final class LoraPass {
  private final ModelShape shape;
  private final Weights weights;
  private final Dtype dtype;
  private final List<Block> blocks = new ArrayList<>();
  private final Tensor at;
  private final long length;
  private final Angles angles;
  private final NormPass last;

  /// The forward pass.
  ///
  /// @param lora float32 masters, which the gradients are added to
  /// @param dtype what linear layers compute in
  /// @param tokens (1, T) int64
  /// @param positions (1, T) int64
  /// @param spans the pieces of the row
  /// @param at (N) int64, the positions whose output is wanted
  public LoraPass(
      Decoder decoder,
      Weights weights,
      Lora lora,
      Dtype dtype,
      Tensor tokens,
      Tensor positions,
      List<Span> spans,
      Tensor at) {
    shape = decoder.shape();
    this.weights = weights;
    this.dtype = dtype;
    this.at = at;
    length = tokens.size(1);
    angles = decoder.rotary().at(positions);
    var plan = PackedPlan.of(spans, PackedAttention.CHUNK);
    var masks = PackedAttention.masks(plan, dtype);
    var embedding = weights.get("model.embed_tokens.weight");
    var x = torch.embedding(embedding, tokens.view(-1)).to(Dtype.F32.scalar()); // (T, D)
    for (int layer = 0; layer < shape.layers(); layer++) {
      var block = new Block(lora, layer, plan, masks);
      block.forward(x);
      blocks.add(block);
      Device.cpu().giveWay();
    }
    last = norm(x.index_select(0, at), "model.norm.weight");
  }

  /// The last block's output after the final norm at the wanted positions: (N, width), float32.
  public Tensor hidden() {
    return last.output();
  }

  /// Adds to the adapter's gradients.
  ///
  /// @param gradient of [#hidden], (N, width); it is overwritten
  public void backward(Tensor gradient) {
    var x = torch.zeros(new long[] {length, shape.width()}, Dtype.F32.options());
    x.index_add_(0, at, last.backward(gradient));
    for (int layer = shape.layers() - 1; layer >= 0; layer--) {
      blocks.get(layer).backward(x);
      Device.cpu().giveWay();
    }
  }

  private NormPass norm(Tensor x, String name) {
    return NormPass.of(x, weights.get(name).to(Dtype.F32.scalar()), shape.normEps());
  }

  private Tensor cast(Tensor x) {
    return x.to(dtype.scalar());
  }

  private static Tensor wide(Tensor x) {
    return x.to(Dtype.F32.scalar());
  }

  /// A block; its passes change the residual stream (T, D) or its gradient in place.
  private final class Block {
    private final String name;
    private final boolean first;
    private final LinearPass qkv;
    private final LinearPass o;
    private final LinearPass gateUp;
    private final LinearPass down;
    private final AttentionPass attention;
    private final long queries = (long) shape.heads() * shape.headDim();
    private final long keys = (long) shape.kvHeads() * shape.headDim();
    private final List<NormPass> norms = new ArrayList<>(); // of the block's inputs
    private final List<NormPass> headNorms = new ArrayList<>(); // of queries and keys
    private final List<Tensor> gated = new ArrayList<>(); // gate, up, and silu of gate

    Block(Lora lora, int layer, PackedPlan plan, List<Tensor> masks) {
      name = "model.layers." + layer + ".";
      first = layer == 0;
      var projections =
          shape.projections(layer).stream()
              .map(it -> new LinearPass(it, weights, lora.sites(), dtype))
              .toList();
      qkv = projections.get(0);
      o = projections.get(1);
      gateUp = projections.get(2);
      down = projections.get(3);
      attention = new AttentionPass(plan, masks, shape);
    }

    void forward(Tensor x) {
      var in = norm(x, name + "input_layernorm.weight");
      norms.add(in);
      var all = qkv.forward(cast(in.output()));
      var query = rotated(all.narrow(1, 0, queries), shape.heads(), "q_norm");
      var key = rotated(all.narrow(1, queries, keys), shape.kvHeads(), "k_norm");
      var value = byHead(all.narrow(1, queries + keys, keys), shape.kvHeads()).contiguous();
      x.add_(o.forward(attention.forward(query, key, value)));

      var between = norm(x, name + "post_attention_layernorm.weight");
      norms.add(between);
      var both = gateUp.forward(cast(between.output()));
      var gate = both.narrow(1, 0, shape.ffn());
      var up = both.narrow(1, shape.ffn(), shape.ffn());
      var open = torch.silu(gate);
      gated.addAll(List.of(gate, up, open));
      x.add_(down.forward(open.mul(up)));
    }

    private Tensor byHead(Tensor x, long count) { // (T, H·hd) → (H, T, hd)
      return x.view(length, count, shape.headDim()).transpose(0, 1);
    }

    private Tensor rotated(Tensor x, long count, String normName) {
      var split = wide(byHead(x, count));
      if (shape.qkNorm()) {
        var norm = norm(split, name + "self_attn." + normName + ".weight");
        headNorms.add(norm);
        split = norm.output();
      }
      return cast(angles.rotate(split.unsqueeze(0)).squeeze(0)).contiguous();
    }

    /// @param gradient of the block's output; becomes that of its input
    void backward(Tensor gradient) {
      var gate = gated.get(0);
      var up = gated.get(1);
      var hidden = needed(down.backward(cast(gradient), true)); // (T, ffn)
      var both = torch.empty(new long[] {length, 2L * shape.ffn()}, hidden.options(), null);
      torch.mul_out(both.narrow(1, shape.ffn(), shape.ffn()), hidden, gated.get(2));
      torch.silu_backward_out(both.narrow(1, 0, shape.ffn()), hidden.mul_(up), gate);
      gradient.add_(norms.get(1).backward(wide(needed(gateUp.backward(both, true)))));

      var parts = attention.backward(needed(o.backward(cast(gradient), true)));
      var all = torch.empty(new long[] {length, queries + 2 * keys}, hidden.options(), null);
      unrotated(parts[0], 0, all.narrow(1, 0, queries));
      unrotated(parts[1], 1, all.narrow(1, queries, keys));
      byHead(all.narrow(1, queries + keys, keys), shape.kvHeads()).copy_(parts[2]);
      var in = qkv.backward(all, !first);
      if (in != null) gradient.add_(norms.get(0).backward(wide(in)));
    }

    /// Turns the gradient of rotated queries or keys (H, T, hd) into that of the linear layer's
    /// output.
    private void unrotated(Tensor rotated, int which, Tensor into) {
      var gradient = angles.rotateBack(wide(rotated).unsqueeze(0)).squeeze(0);
      if (shape.qkNorm()) gradient = headNorms.get(which).backward(gradient);
      byHead(into, rotated.size(0)).copy_(gradient);
    }

    private static Tensor needed(@Nullable Tensor gradient) {
      return Objects.requireNonNull(gradient);
    }
  }
}
