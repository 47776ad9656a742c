package dev.espalier.model;

import dev.espalier.model.Rotary.Angles;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/// The decoder's pass over many tokens of a large model, of which no gradient is wanted; the caller
/// keeps keys and values.
///
/// Between the products and attention it takes the steps of [LoraPass], token by token: by
/// libtorch's operators they take a third of a pass. In the last block only the wanted tokens go on
/// after attention.
final class RowPrefill {
  private final ModelShape shape;
  private final Weights weights;
  private final PackedAdapters adapters;
  private final KeptAttention kept;
  private final Dtype dtype;
  private final int length;
  private final Angles angles;

  /// The residual stream, (T, D) in float32, and what is to be added to it, (T, D); the pass's own.
  private record Stream(Tensor before, Tensor added) implements AutoCloseable {
    @Override
    public void close() {
      before.close();
      added.close();
    }
  }

  /// The stream with what was added, (T, D), and queries, keys and values, (T, (H + 2·KV)·hd).
  private record Asked(Tensor sum, Tensor turned) implements AutoCloseable {
    @Override
    public void close() {
      sum.close();
      turned.close();
    }
  }

  /// @param positions (1, T) int64
  RowPrefill(
      Decoder decoder,
      Weights weights,
      PackedAdapters adapters,
      KeptAttention kept,
      Tensor positions) {
    shape = decoder.shape();
    this.weights = weights;
    this.adapters = adapters;
    this.kept = kept;
    dtype = Dtype.of(weights.weight(shape.projections().getFirst()));
    length = Math.toIntExact(positions.size(1));
    angles = decoder.rotary().at(positions);
  }

  /// The last block's output after the final norm: (1, N, width), float32.
  ///
  /// @param tokens (1, T) int64
  /// @param wanted N of them
  Tensor hidden(Tensor tokens, int[] wanted) {
    var stream = embedded(tokens);
    for (int layer = 0; layer < shape.layers(); layer++) {
      stream = block(layer, stream, layer == shape.layers() - 1 ? wanted : null);
    }
    try (var last = stream) {
      var weight = weights.numbers("model.norm.weight");
      var norm =
          new NormPass(last.before().add(last.added()), null, weight, shape.normEps(), Dtype.F32);
      run(wanted.length, norm.forward());
      return norm.output().unsqueeze(0);
    }
  }

  private Stream embedded(Tensor tokens) {
    try (var scope = new Scope()) {
      var x = torch.embedding(weights.get("model.embed_tokens.weight"), tokens.view(-1));
      return new Stream(
          scope.keep(x.to(Dtype.F32.scalar())),
          scope.keep(torch.zeros(new long[] {length, shape.width()}, dtype.options())));
    }
  }

  /// @param before which is closed
  /// @param wanted tokens of the block's output; null for all
  private Stream block(int layer, Stream before, int @Nullable [] wanted) {
    try (var asked = ask(layer, before)) {
      var mixed = attend(layer, asked.turned()); // may keep what it makes for the next layers
      return goOn(layer, asked.sum(), mixed.squeeze(0), wanted);
    }
  }

  private Asked ask(int layer, Stream before) {
    var name = "model.layers." + layer + ".";
    try (before;
        var scope = new Scope()) {
      var norm = norm(before, name + "input_layernorm.weight");
      run(length, norm.forward());
      var qkv = linear(shape.projections(layer).getFirst(), norm.output(), adapters);
      var heads =
          new HeadPass(
              shape,
              angles,
              dtype,
              headNorm(name + "self_attn.q_norm.weight"),
              headNorm(name + "self_attn.k_norm.weight"),
              qkv);
      run(length, heads.forward());
      return new Asked(scope.keep(norm.sum()), scope.keep(heads.output().to(dtype.scalar())));
    }
  }

  private Tensor attend(int layer, Tensor turned) {
    return kept.attend(
        layer,
        heads(turned, 0, shape.heads()),
        heads(turned, shape.heads(), shape.kvHeads()),
        heads(turned, shape.heads() + shape.kvHeads(), shape.kvHeads()));
  }

  /// Some of the heads: (1, count, T, hd).
  private Tensor heads(Tensor turned, int first, int count) {
    long size = shape.headDim();
    return turned
        .narrow(1, first * size, count * size)
        .view(1, length, count, size)
        .transpose(1, 2);
  }

  /// What comes after a block's attention.
  private Stream goOn(int layer, Tensor before, Tensor mixed, int @Nullable [] wanted) {
    var projections = shape.projections(layer);
    try (var scope = new Scope()) {
      var its = adapters;
      if (wanted != null) {
        before = some(before, wanted);
        mixed = some(mixed, wanted);
        its = adapters.some(wanted);
      }
      int count = Math.toIntExact(before.size(0));
      var added = linear(projections.get(1), mixed, its);
      var name = "model.layers." + layer + ".post_attention_layernorm.weight";
      var norm = norm(new Stream(before, added), name);
      run(count, norm.forward());
      var gate = new GatePass(dtype, linear(projections.get(2), norm.output(), its), shape.ffn());
      var gated = torch.empty(new long[] {count, shape.ffn()}, dtype.options(), null);
      run(count, gate.forward(gated));
      var out = linear(projections.get(3), gated, its);
      return new Stream(scope.keep(norm.sum()), scope.keep(out));
    }
  }

  private static Tensor some(Tensor rows, int[] which) {
    var numbers = Arrays.stream(which).asLongStream().toArray();
    return rows.index_select(0, torch.tensor(numbers, new TensorOptions(ScalarType.Long)));
  }

  private Tensor linear(Projection projection, Tensor x, PackedAdapters its) {
    return its.apply(projection, x, weights.base(projection));
  }

  private NormPass norm(Stream stream, String name) {
    return new NormPass(
        stream.before(), stream.added(), weights.numbers(name), shape.normEps(), dtype);
  }

  private float @Nullable [] headNorm(String name) {
    return shape.qkNorm() ? weights.numbers(name) : null;
  }

  private static void run(int tokens, TokenStep step) {
    TokenStep.run(tokens, List.of(step));
    Device.cpu().giveWay();
  }
}
