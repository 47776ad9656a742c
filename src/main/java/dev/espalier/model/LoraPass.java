package dev.espalier.model;

import dev.espalier.model.Rotary.Angles;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
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
  private final Activations activations;
  private final List<Stream> inputs = new ArrayList<>(); // of the blocks
  private final List<Block> blocks = new ArrayList<>(); // where they are kept
  private final PackedPlan plan;
  private final Lora lora;
  private final Tensor at;
  private final int length;
  private final Angles angles;
  private final NormPass last;
  private final Tensor head;

  /// As [BlockPass#of] has it.
  LoraPass(
      Decoder decoder,
      Weights weights,
      Lora lora,
      Dtype dtype,
      Activations activations,
      Tensor tokens,
      Tensor positions,
      List<Span> spans,
      Tensor at) {
    shape = decoder.shape();
    this.weights = weights;
    this.lora = lora;
    this.dtype = dtype;
    this.activations = activations;
    this.at = at;
    length = (int) tokens.size(1);
    angles = decoder.rotary().at(positions);
    head = decoder.head(weights);
    plan = PackedPlan.of(spans, CHUNK);
    var embedding = weights.get("model.embed_tokens.weight");
    var stream = new Stream(wide(torch.embedding(embedding, tokens.view(-1))), null);
    var steps = new ArrayList<TokenStep>();
    for (int layer = 0; layer < shape.layers(); layer++) {
      inputs.add(stream);
      stream = activations == Activations.KEPT ? kept(layer, steps) : leaving(layer, steps);
    }
    run(steps);
    last = norm(stream.at(at), "model.norm.weight", Dtype.F32);
    TokenStep.run((int) at.size(0), List.of(last.forward()));
  }

  /// A block that stays as its way forward leaves it.
  ///
  /// @return its output, when the steps are done
  private Stream kept(int layer, List<TokenStep> steps) {
    var block = new Block(layer, steps);
    blocks.add(block);
    return block.output();
  }

  /// A block that leaves nothing but its output.
  private Stream leaving(int layer, List<TokenStep> steps) {
    var out = new Stream(empty(shape.width(), Dtype.F32), empty(shape.width(), dtype));
    try (var scope = new Scope()) {
      var made = new Block(layer, steps).output();
      run(steps);
      out.before().copy_(made.before());
      Objects.requireNonNull(out.added()).copy_(made.added());
    }
    return out;
  }

  /// A block as its way forward leaves it.
  private Block again(int layer) {
    var steps = new ArrayList<TokenStep>();
    var block = new Block(layer, steps);
    run(steps);
    return block;
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

  @Override
  public @Nullable Scores scores(Tensor targets, double temperature) {
    if (lora.adapts(shape.head())) return null;
    var scores = new RowScores(hidden(), head, BlockPass.numbers(targets), temperature, true);
    return new Scores(scores.predictions(), gradient -> backward(scores.gradient(gradient)));
  }

  @Override
  public @Nullable Tensor logProbabilities(Tensor targets, double temperature) {
    if (lora.adapts(shape.head())) return null;
    return new RowScores(hidden(), head, BlockPass.numbers(targets), temperature, false)
        .predictions();
  }

  /// Adds to the adapter's gradients.
  ///
  /// @param gradient of [#hidden], (N, width)
  @Override
  public void backward(Tensor gradient) {
    var some = torch.zeros_like(gradient);
    TokenStep.run((int) at.size(0), List.of(last.backward(gradient.contiguous(), some, null)));
    var x = torch.zeros(new long[] {length, shape.width()}, Dtype.F32.options());
    x.index_add_(0, at, some);
    var room = new Room(x);
    var steps = new ArrayList<TokenStep>();
    for (int layer = shape.layers() - 1; layer >= 0; layer--) {
      try (var scope = activations.ofBlock()) {
        var block = scope == null ? blocks.get(layer) : again(layer);
        block.endBackward(x, room, steps);
        run(steps);
        block.accumulateEnd(room);
        block.beginBackward(x, room, steps);
        run(steps);
        block.accumulateBegin(room);
      }
    }
  }

  private Tensor empty(long width, Dtype type) {
    return torch.empty(new long[] {length, width}, type.options(), null);
  }

  /// Gradients of one block after the other.
  private final class Room {
    final Tensor ofDown; // of its output
    final Tensor ofGated = empty(shape.ffn(), dtype);
    final Tensor ofO = empty(shape.width(), dtype); // of its output
    final Tensor ofMixed = empty((long) shape.heads() * shape.headDim(), dtype);
    final Tensor ofQkv = empty(shape.qkvWidth(), dtype);
    final Tensor ofNormed = empty(shape.width(), dtype); // of either norm's output

    /// @param stream of the last block's output
    Room(Tensor stream) {
      ofDown = empty(shape.width(), dtype).copy_(stream);
    }
  }

  private NormPass norm(Stream stream, String name, Dtype output) {
    return new NormPass(
        stream.before(), stream.added(), weights.numbers(name), shape.normEps(), output);
  }

  private static Tensor wide(Tensor x) {
    return x.to(Dtype.F32.scalar());
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
    private final AttentionPass attention;
    private final NormPass between;
    private final GatePass gate;
    private final Tensor out;

    /// The way forward, of which the steps after attention are still to be done.
    ///
    /// @param steps that come before, which are done then
    Block(int layer, List<TokenStep> steps) {
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
      before = norm(inputs.get(layer), name + "input_layernorm.weight", dtype);
      var all = empty(shape.qkvWidth(), dtype);
      var queryNorm = shape.qkNorm() ? weights.numbers(name + "self_attn.q_norm.weight") : null;
      var keyNorm = shape.qkNorm() ? weights.numbers(name + "self_attn.k_norm.weight") : null;
      turned = new HeadPass(shape, angles, dtype, queryNorm, keyNorm, all);
      steps.add(before.forward());
      steps.add(qkv.forward(before.output(), all));
      steps.add(turned.forward());
      run(steps);
      var mixed = empty((long) shape.heads() * shape.headDim(), dtype);
      attention = new AttentionPass(plan, shape, turned.output(), mixed);
      var added = empty(shape.width(), dtype);
      steps.add(o.forward(mixed, added));
      between =
          norm(new Stream(before.sum(), added), name + "post_attention_layernorm.weight", dtype);
      steps.add(between.forward());
      gate = new GatePass(dtype, empty(2L * shape.ffn(), dtype), shape.ffn());
      steps.add(gateUp.forward(between.output(), gate.gateUp()));
      var gated = empty(shape.ffn(), dtype);
      steps.add(gate.forward(gated));
      out = empty(shape.width(), dtype);
      steps.add(down.forward(gated, out));
    }

    Stream output() {
      return new Stream(between.sum(), out);
    }

    /// The way back to attention.
    ///
    /// @param stream the gradient of the block's output, which the room has rounded; becomes that
    ///   of the stream after attention
    void endBackward(Tensor stream, Room room, List<TokenStep> steps) {
      steps.add(down.backward(room.ofDown, room.ofGated));
      steps.add(gate.backward(room.ofGated));
      steps.add(gateUp.backward(gate.gateUp(), room.ofNormed));
      steps.add(between.backward(room.ofNormed, stream, room.ofO));
      steps.add(o.backward(room.ofO, room.ofMixed));
    }

    /// The way back through attention, and the steps from there.
    ///
    /// @param stream becomes the gradient of the block's input
    void beginBackward(Tensor stream, Room room, List<TokenStep> steps) {
      steps.add(turned.backward(attention.backward(room.ofMixed), room.ofQkv));
      steps.add(qkv.backward(room.ofQkv, first ? null : room.ofNormed));
      if (!first) steps.add(before.backward(room.ofNormed, stream, room.ofDown));
    }

    void accumulateEnd(Room room) {
      down.accumulate(room.ofDown);
      gateUp.accumulate(gate.gateUp());
      o.accumulate(room.ofO);
    }

    void accumulateBegin(Room room) {
      qkv.accumulate(room.ofQkv);
    }
  }
}
