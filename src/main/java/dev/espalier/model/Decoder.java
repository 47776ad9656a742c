package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/// A decoder-only transformer: one code path for all families, which differ by [ModelShape] alone.
///
/// The residual stream and the norms are float32; linear layers compute in the type of their
/// weights. Holds no state beyond the rotary tables, so the same decoder trains and samples with
/// any [Weights] of its shape.
public final class Decoder {
  private final ModelShape shape;
  private final Rotary rotary;

  public Decoder(ModelShape shape) {
    this.shape = shape;
    this.rotary = new Rotary(shape);
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
    var angles = rotary.at(positions, Dtype.F32);
    for (int layer = 0; layer < shape.layers(); layer++) {
      var block = new Block(weights, adapters, "model.layers." + layer + ".");
      x = x.add(block.attention(layer, x, angles, attention));
      x = x.add(block.feedForward(x));
    }
    return norm(x, weights.get("model.norm.weight"));
  }

  /// Scores of the next token, in float32.
  ///
  /// @param hidden (B, T, width)
  /// @return (B, T, vocabulary)
  public Tensor logits(Weights weights, Tensor hidden, Adapters adapters) {
    var head = weights.get(shape.tiedHead() ? "model.embed_tokens.weight" : "lm_head.weight");
    var in = hidden.to(head.scalar_type());
    return adapters.apply("lm_head", in, torch.linear(in, head)).to(Dtype.F32.scalar());
  }

  private Tensor norm(Tensor x, Tensor weight) {
    return torch.rms_norm(
        x,
        new long[] {x.size(-1)},
        new TensorOptional(weight.to(Dtype.F32.scalar())),
        new DoubleOptional(shape.normEps()));
  }

  private final class Block {
    private final Weights weights;
    private final Adapters adapters;
    private final String name;

    Block(Weights weights, Adapters adapters, String name) {
      this.weights = weights;
      this.adapters = adapters;
      this.name = name;
    }

    Tensor attention(int layer, Tensor x, Rotary.Angles angles, Attention attention) {
      var in = normed(x, "input_layernorm.weight", "self_attn.q_proj.weight");
      var query = heads(linear("self_attn.q_proj", in), shape.heads(), "self_attn.q_norm");
      var key = heads(linear("self_attn.k_proj", in), shape.kvHeads(), "self_attn.k_norm");
      var value = split(linear("self_attn.v_proj", in), shape.kvHeads());
      var type = value.scalar_type();
      var mixed =
          attention.attend(
              layer, angles.rotate(query).to(type), angles.rotate(key).to(type), value);
      return linear("self_attn.o_proj", mixed);
    }

    Tensor feedForward(Tensor x) {
      var in = normed(x, "post_attention_layernorm.weight", "mlp.gate_proj.weight");
      return linear(
          "mlp.down_proj", torch.silu(linear("mlp.gate_proj", in)).mul(linear("mlp.up_proj", in)));
    }

    /// The input of a block's linear layers, cast once for all of them.
    private Tensor normed(Tensor x, String norm, String linear) {
      return norm(x, weights.get(name + norm)).to(weights.get(name + linear).scalar_type());
    }

    /// A linear layer with its bias and its adapters: (B, T, in) → (B, T, out).
    private Tensor linear(String kind, Tensor x) {
      var weight = weights.get(name + kind + ".weight");
      var bias = weights.find(name + kind + ".bias");
      var in = x.to(weight.scalar_type());
      var out =
          bias == null
              ? torch.linear(in, weight)
              : torch.linear(in, weight, new TensorOptional(bias));
      return adapters.apply(name + kind, in, out);
    }

    /// Queries or keys by head, normalised where the family asks for it, in float32: (B, H, T, hd).
    private Tensor heads(Tensor x, int count, String normName) {
      var split = split(x, count).to(Dtype.F32.scalar());
      return shape.qkNorm() ? norm(split, weights.get(name + normName + ".weight")) : split;
    }

    private Tensor split(Tensor x, int count) { // (B, T, H·hd) → (B, H, T, hd)
      return x.view(x.size(0), x.size(1), count, shape.headDim()).transpose(1, 2);
    }
  }
}
