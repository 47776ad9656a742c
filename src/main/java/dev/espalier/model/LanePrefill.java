package dev.espalier.model;

import dev.espalier.tensor.Device;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.LaneMatrix;
import dev.espalier.tensor.Lanes;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// The decoder's pass over many tokens side by side, of which no gradient is wanted; attention is
/// the caller's, who keeps keys and values.
///
/// After the last attention only the wanted tokens are computed.
final class LanePrefill {
  private static final int MANY = 96; // tokens, from which on it was measured to be faster

  private final ModelShape shape;
  private final Weights weights;
  private final @Nullable FrozenLora lora;
  private final Attention attention;
  private final int length;
  private final Lanes cos;
  private final Lanes sin;

  /// A projection with its adapter's matrices.
  ///
  /// @param a (R, in)
  /// @param b (R, out), scaled
  private record Linear(LaneWeight weight, @Nullable LaneMatrix a, @Nullable LaneMatrix b) {
    TokenStep forward(Lanes x, @Nullable Lanes start, Lanes out) {
      var inner = Lanes.empty(x.panels() * Lanes.PANEL, a == null ? 0 : Lanes.padded(a.rows()));
      return (from, end) -> {
        int first = from / Lanes.PANEL;
        int last = Lanes.panels(end);
        weight.multiply(x, start, out, first, last);
        if (a == null || b == null) return;
        a.multiply(x, 0, null, inner, 0, first, last);
        b.multiplyTransposed(inner, 0, out, out, 0, first, last);
      };
    }
  }

  LanePrefill(
      Decoder decoder,
      Weights weights,
      @Nullable FrozenLora lora,
      Attention attention,
      Tensor positions) {
    shape = decoder.shape();
    this.weights = weights;
    this.lora = lora;
    this.attention = attention;
    length = Math.toIntExact(positions.size(1));
    var angles = decoder.rotary().at(positions);
    cos = Lanes.of(angles.cos().view(length, -1));
    sin = Lanes.of(angles.sin().view(length, -1));
  }

  /// Whether a pass can be computed so, and is faster then.
  static boolean takes(ModelShape shape, Weights weights, Tensor tokens, Adapters adapters) {
    return tokens.numel() >= MANY
        && tokens.size(0) == 1
        && (adapters.equals(Adapters.NONE) || adapters instanceof FrozenLora)
        && Lanes.fit(type(shape, weights), shape.width(), shape.ffn(), shape.headDim());
  }

  private static Dtype type(ModelShape shape, Weights weights) {
    return Dtype.of(weights.weight(shape.projections().getFirst()));
  }

  /// The last block's output after the final norm: (1, N, width).
  ///
  /// @param tokens (1, T) int64
  /// @param wanted N of them
  Tensor hidden(Tensor tokens, int[] wanted) {
    var embedding = weights.get("model.embed_tokens.weight");
    var x = Lanes.of(torch.embedding(embedding, tokens.view(-1)).to(Dtype.F32.scalar()));
    for (int layer = 0; layer < shape.layers(); layer++) {
      x = block(layer, x, layer == shape.layers() - 1 ? wanted : null);
    }
    var out = Lanes.empty(wanted.length, shape.width());
    var norm = weights.numbers("model.norm.weight");
    run(wanted.length, List.of(LaneSteps.norm(x, norm, shape.normEps(), out)));
    return out.rows(wanted.length).unsqueeze(0);
  }

  private static void run(int tokens, List<TokenStep> steps) {
    TokenStep.run(tokens, steps);
    Device.cpu().giveWay();
  }

  /// @param wanted tokens of the block's output; null for all
  private Lanes block(int layer, Lanes x, int @Nullable [] wanted) {
    var name = "model.layers." + layer + ".";
    var projections = shape.projections(layer).stream().map(this::linear).toList();
    var mixed = attend(layer, name, projections.getFirst(), x);
    int count = length;
    if (wanted != null) {
      count = wanted.length;
      x = x.some(wanted);
      mixed = mixed.some(wanted);
    }
    var middle = Lanes.empty(count, shape.width());
    var normed = Lanes.empty(count, shape.width());
    var gates = Lanes.empty(count, 2 * shape.ffn());
    var gated = Lanes.empty(count, shape.ffn());
    var out = Lanes.empty(count, shape.width());
    var norm = weights.numbers(name + "post_attention_layernorm.weight");
    run(
        count,
        List.of(
            projections.get(1).forward(mixed, x, middle),
            LaneSteps.norm(middle, norm, shape.normEps(), normed),
            projections.get(2).forward(normed, null, gates),
            LaneSteps.gate(gates, gated),
            projections.get(3).forward(gated, middle, out)));
    return out;
  }

  private Linear linear(Projection projection) {
    var weight = LaneWeight.of(projection, weights, 0, weights.weight(projection).size(0));
    var pair = lora == null ? null : lora.pair(projection.name());
    if (pair == null) return new Linear(weight, null, null);
    return new Linear(weight, new LaneMatrix(pair.a()), new LaneMatrix(pair.b()));
  }

  private Lanes attend(int layer, String name, Linear qkv, Lanes x) {
    int asked = shape.heads() * shape.headDim();
    int shared = shape.kvHeads() * shape.headDim();
    var normed = Lanes.empty(length, shape.width());
    var all = Lanes.empty(length, shape.qkvWidth());
    var turned = Lanes.empty(length, shape.qkvWidth());
    var steps = new ArrayList<TokenStep>();
    var norm = weights.numbers(name + "input_layernorm.weight");
    steps.add(LaneSteps.norm(x, norm, shape.normEps(), normed));
    steps.add(qkv.forward(normed, null, all));
    steps.add(heads(name + "self_attn.q_norm.weight", 0, shape.heads()).forward(all, turned));
    steps.add(
        heads(name + "self_attn.k_norm.weight", shape.heads(), shape.kvHeads())
            .forward(all, turned));
    run(length, steps);
    var type = type(shape, weights).scalar();
    var queries = turned.rows(0, asked, length).to(type);
    var keys = turned.rows(asked, shared, length).to(type);
    var values = all.rows(asked + shared, shared, length).to(type);
    var mixed =
        attention.attend(
            layer,
            byHead(queries, shape.heads()),
            byHead(keys, shape.kvHeads()),
            byHead(values, shape.kvHeads()));
    return Lanes.of(mixed.view(length, -1).to(Dtype.F32.scalar()).contiguous());
  }

  private LaneHeads heads(String norm, int first, int count) {
    return new LaneHeads(
        first,
        count,
        shape.headDim(),
        shape.qkNorm() ? weights.numbers(norm) : null,
        shape.normEps(),
        cos,
        sin);
  }

  private Tensor byHead(Tensor x, int count) { // (T, H·hd) → (1, H, T, hd)
    return x.view(1, length, count, shape.headDim()).transpose(1, 2);
  }
}
