package dev.espalier.model;

import dev.espalier.model.Rotary.Angles;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Rows;
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
final class LoraPass implements BlockPass {
  private static final int CHUNK = 64; // queries of a head that a thread takes at once

  private final ModelShape shape;
  private final Weights weights;
  private final Dtype dtype;
  private final List<Block> blocks = new ArrayList<>();
  private final Tensor at;
  private final int length;
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
  LoraPass(
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
    length = (int) tokens.size(1);
    angles = decoder.rotary().at(positions);
    var plan = PackedPlan.of(spans, CHUNK);
    var embedding = weights.get("model.embed_tokens.weight");
    var stream = new Stream(wide(torch.embedding(embedding, tokens.view(-1))), null);
    var steps = new ArrayList<TokenStep>();
    for (int layer = 0; layer < shape.layers(); layer++) {
      var block = new Block(lora, layer, stream, steps);
      run(steps);
      stream = block.end(plan, steps);
      blocks.add(block);
    }
    run(steps);
    last = norm(stream.at(at), "model.norm.weight", Dtype.F32);
    TokenStep.run((int) at.size(0), List.of(last.forward()));
  }

  /// Computes the steps, which are done then.
  private void run(List<TokenStep> steps) {
    TokenStep.run(length, steps);
    steps.clear();
    Device.cpu().giveWay();
  }

  /// The residual stream, (T, D) in float32, and what is to be added to it.
  private record Stream(Tensor before, @Nullable Tensor added) {
    /// Of some tokens.
    Stream at(Tensor tokens) {
      return new Stream(
          before.index_select(0, tokens),
          added == null ? null : wide(added.index_select(0, tokens)));
    }
  }

  /// The last block's output after the final norm at the wanted positions: (N, width), float32.
  @Override
  public Tensor hidden() {
    return last.output();
  }

  /// Adds to the adapter's gradients.
  ///
  /// @param gradient of [#hidden], (N, width)
  @Override
  public void backward(Tensor gradient) {
    var some = torch.zeros_like(gradient);
    TokenStep.run((int) at.size(0), List.of(last.backward(gradient.contiguous(), some)));
    var x = torch.zeros(new long[] {length, shape.width()}, Dtype.F32.options());
    x.index_add_(0, at, some);
    var room = new Room();
    var steps = new ArrayList<TokenStep>();
    for (int layer = shape.layers() - 1; layer >= 0; layer--) {
      var block = blocks.get(layer);
      block.endBackward(x, room, steps);
      run(steps);
      if (layer + 1 < shape.layers()) blocks.get(layer + 1).accumulateBegin(room);
      block.accumulateEnd(room);
      block.beginBackward(x, room, steps);
    }
    run(steps);
    blocks.getFirst().accumulateBegin(room);
  }

  private Tensor empty(long width, Dtype type) {
    return torch.empty(new long[] {length, width}, type.options(), null);
  }

  /// Gradients of one block after the other.
  private final class Room {
    final Tensor ofDown = empty(shape.width(), dtype); // of its output
    final Tensor ofGated = empty(shape.ffn(), dtype);
    final Tensor ofO = empty(shape.width(), dtype); // of its output
    final Tensor ofMixed = empty((long) shape.heads() * shape.headDim(), dtype);
    final Tensor ofQkv = empty(shape.qkvWidth(), dtype);
    final Tensor ofNormed = empty(shape.width(), dtype); // of either norm's output
  }

  private NormPass norm(Stream stream, String name, Dtype output) {
    return new NormPass(
        stream.before(), stream.added(), weights.numbers(name), shape.normEps(), output);
  }

  private static Tensor wide(Tensor x) {
    return x.to(Dtype.F32.scalar());
  }

  /// Numbers in another type.
  private static TokenStep copy(Tensor from, Dtype type, Tensor to, Dtype other) {
    int width = Math.toIntExact(from.size(1));
    var read = new Rows(type);
    var write = new Rows(other);
    long source = Rows.at(from);
    long target = Rows.at(to);
    return (first, end) -> {
      var row = new float[width];
      for (long t = first; t < end; t++) {
        read.read(read.after(source, t * width), row);
        write.write(row, write.after(target, t * width));
      }
    };
  }

  private final class Block {
    private final String name;
    private final boolean first;
    private final LinearPass qkv;
    private final LinearPass o;
    private final LinearPass gateUp;
    private final LinearPass down;
    private final NormPass before;
    private final HeadPass turned;
    private @Nullable Rest rest;

    /// The part of a block that begins with attention.
    private record Rest(AttentionPass attention, NormPass between, GatePass gate) {}

    /// Begins a block: its steps up to attention.
    Block(Lora lora, int layer, Stream stream, List<TokenStep> steps) {
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
      before = norm(stream, name + "input_layernorm.weight", dtype);
      var all = empty(shape.qkvWidth(), dtype);
      var queryNorm = shape.qkNorm() ? weights.numbers(name + "self_attn.q_norm.weight") : null;
      var keyNorm = shape.qkNorm() ? weights.numbers(name + "self_attn.k_norm.weight") : null;
      turned = new HeadPass(shape, angles, dtype, queryNorm, keyNorm, all);
      steps.add(before.forward());
      steps.add(qkv.forward(before.output(), all));
      steps.add(turned.forward());
    }

    /// Attention, and the steps after it.
    Stream end(PackedPlan plan, List<TokenStep> steps) {
      var attention = new AttentionPass(plan, shape, turned.output());
      var mixed = attention.output();
      if (dtype != Dtype.F32) {
        mixed = empty(mixed.size(1), dtype);
        steps.add(copy(attention.output(), Dtype.F32, mixed, dtype));
      }
      var added = empty(shape.width(), dtype);
      steps.add(o.forward(mixed, added));
      var between =
          norm(new Stream(before.sum(), added), name + "post_attention_layernorm.weight", dtype);
      steps.add(between.forward());
      var gate = new GatePass(dtype, empty(2L * shape.ffn(), dtype), shape.ffn());
      steps.add(gateUp.forward(between.output(), gate.gateUp()));
      var gated = empty(shape.ffn(), dtype);
      steps.add(gate.forward(gated));
      var out = empty(shape.width(), dtype);
      steps.add(down.forward(gated, out));
      rest = new Rest(attention, between, gate);
      return new Stream(between.sum(), out);
    }

    /// The way back to attention.
    ///
    /// @param stream the gradient of the block's output; becomes that of the stream after attention
    void endBackward(Tensor stream, Room room, List<TokenStep> steps) {
      var of = Objects.requireNonNull(rest);
      steps.add(copy(stream, Dtype.F32, room.ofDown, dtype));
      steps.add(down.backward(room.ofDown, room.ofGated));
      steps.add(of.gate().backward(room.ofGated));
      steps.add(gateUp.backward(of.gate().gateUp(), room.ofNormed));
      steps.add(of.between().backward(room.ofNormed, stream));
      steps.add(copy(stream, Dtype.F32, room.ofO, dtype));
      steps.add(o.backward(room.ofO, room.ofMixed));
    }

    /// The way back through attention, and the steps from there.
    ///
    /// @param stream becomes the gradient of the block's input
    void beginBackward(Tensor stream, Room room, List<TokenStep> steps) {
      var attention = Objects.requireNonNull(rest).attention();
      steps.add(turned.backward(attention.backward(wide(room.ofMixed)), room.ofQkv));
      steps.add(qkv.backward(room.ofQkv, first ? null : room.ofNormed));
      if (!first) steps.add(before.backward(room.ofNormed, stream));
    }

    void accumulateEnd(Room room) {
      down.accumulate(room.ofDown);
      gateUp.accumulate(Objects.requireNonNull(rest).gate().gateUp());
      o.accumulate(room.ofO);
    }

    void accumulateBegin(Room room) {
      qkv.accumulate(room.ofQkv);
    }
  }
}
