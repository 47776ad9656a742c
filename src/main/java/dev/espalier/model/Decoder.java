package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Lanes;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// A decoder-only transformer: one code path for all families, which differ by [ModelShape] alone.
///
/// The residual stream and the norms are float32; linear layers compute in the type of their
/// weights. Holds no state beyond the rotary tables, so the same decoder trains and samples with
/// any [Weights] of its shape.
public final class Decoder {
  private final ModelShape shape;
  private final Rotary rotary;
  private final List<Block> blocks = new ArrayList<>();
  private final Projection head;

  public Decoder(ModelShape shape) {
    this.shape = shape;
    rotary = new Rotary(shape);
    for (int layer = 0; layer < shape.layers(); layer++) blocks.add(new Block(layer));
    head = shape.head();
  }

  Rotary rotary() {
    return rotary;
  }

  public ModelShape shape() {
    return shape;
  }

  /// The last block's output after the final norm, in float32.
  ///
  /// @param tokens (B, T) int64
  /// @param positions (B, T) int64, each below the context
  /// @return (B, T, width)
  public Tensor hidden(
      Weights weights, Tensor tokens, Tensor positions, Attention attention, Adapters adapters) {
    var embedding = weights.get("model.embed_tokens.weight");
    var x = torch.embedding(embedding, tokens).to(Dtype.F32.scalar()); // (B, T, D)
    var angles = rotary.at(positions);
    var linears = new Linears(weights, adapters);
    for (var block : blocks) {
      x = x.add(block.attention(linears, x, angles, attention));
      x = x.add(block.feedForward(linears, x));
    }
    return norm(x, weights.get("model.norm.weight"));
  }

  /// The same at some positions of a row, without a gradient.
  ///
  /// @param tokens (1, T) int64
  /// @param positions (1, T) int64, each below the context
  /// @param wanted where the output is asked for
  /// @return (1, N, width)
  public Tensor hidden(
      Weights weights,
      Tensor tokens,
      Tensor positions,
      KeptAttention attention,
      PackedAdapters adapters,
      int[] wanted) {
    if (LanePrefill.takes(shape, weights, tokens)) {
      return new LanePrefill(this, weights, adapters, attention, positions).hidden(tokens, wanted);
    }
    return new RowPrefill(this, weights, adapters, attention, positions).hidden(tokens, wanted);
  }

  /// Scores of the next token, in float32.
  ///
  /// @param hidden (B, T, width)
  /// @return (B, T, vocabulary)
  public Tensor logits(Weights weights, Tensor hidden, Adapters adapters) {
    var matrix = head(weights);
    var in = hidden.to(matrix.scalar_type());
    return adapters.apply(head, in, weights.base(head, matrix)).to(Dtype.F32.scalar());
  }

  /// The head's matrix: (vocabulary, width).
  Tensor head(Weights weights) {
    return weights.get(shape.tiedHead() ? "model.embed_tokens.weight" : "lm_head.weight");
  }

  /// Lays out the matrices of weights for products with a few rows, once, where that makes them
  /// faster; they must not change from then on.
  void layOut(Weights weights) {
    if (weights.laid(head) != null) return;
    var dtype = Dtype.of(head(weights));
    long bytes = shape.bytes(dtype);
    boolean lanes = BlockPass.sideBySide(shape, dtype) && Lanes.small(bytes);
    for (int layer = 0; layer < shape.layers(); layer++) {
      for (var projection : shape.projections(layer)) {
        weights.lay(projection, weights.weight(projection), bytes, lanes);
      }
    }
    weights.lay(head, head(weights), bytes, lanes);
  }

  private Tensor norm(Tensor x, Tensor weight) {
    return torch.rms_norm(
        x,
        new long[] {x.size(-1)},
        new TensorOptional(weight.to(Dtype.F32.scalar())),
        new DoubleOptional(shape.normEps()));
  }

  /// The weights and adapters of one pass.
  private record Linears(Weights weights, Adapters adapters) {
    /// All layers of a projection, with their biases and adapters: (B, T, in) → (B, T, out).
    Tensor apply(Projection projection, Tensor x) {
      var weight = weights.weight(projection);
      var in = x.to(weight.scalar_type());
      return adapters.apply(projection, in, weights.base(projection, weight));
    }
  }

  private final class Block {
    private final int layer;
    private final String name;
    private final Projection qkv;
    private final Projection o;
    private final Projection gateUp;
    private final Projection down;

    Block(int layer) {
      this.layer = layer;
      name = "model.layers." + layer + ".";
      var projections = shape.projections(layer);
      qkv = projections.get(0);
      o = projections.get(1);
      gateUp = projections.get(2);
      down = projections.get(3);
    }

    Tensor attention(Linears linears, Tensor x, Rotary.Angles angles, Attention attention) {
      var in = norm(x, linears.weights().get(name + "input_layernorm.weight"));
      var parts = split(qkv, linears.apply(qkv, in));
      var query = heads(linears, parts.get(0), shape.heads(), "q_norm");
      var key = heads(linears, parts.get(1), shape.kvHeads(), "k_norm");
      var value = byHead(parts.get(2), shape.kvHeads());
      var type = value.scalar_type();
      var mixed =
          attention.attend(
              layer, angles.rotate(query).to(type), angles.rotate(key).to(type), value);
      return linears.apply(o, mixed);
    }

    Tensor feedForward(Linears linears, Tensor x) {
      var in = norm(x, linears.weights().get(name + "post_attention_layernorm.weight"));
      var parts = split(gateUp, linears.apply(gateUp, in));
      return linears.apply(down, torch.silu(parts.get(0)).mul(parts.get(1)));
    }

    /// The outputs of a projection's layers: one split, whose gradient is one concatenation.
    private TensorVector split(Projection projection, Tensor out) {
      return torch.split_with_sizes(out, projection.outs(), -1);
    }

    /// Queries or keys by head, normalised where the family asks for it, in float32: (B, H, T, hd).
    private Tensor heads(Linears linears, Tensor x, int count, String normName) {
      var split = byHead(x, count).to(Dtype.F32.scalar());
      if (!shape.qkNorm()) return split;
      return norm(split, linears.weights().get(name + "self_attn." + normName + ".weight"));
    }

    private Tensor byHead(Tensor x, int count) { // (B, T, H·hd) → (B, H, T, hd)
      return x.view(x.size(0), x.size(1), count, shape.headDim()).transpose(1, 2);
    }
  }
}
