package dev.espalier.model;

import dev.espalier.tensor.Crew;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.LaneAttention;
import dev.espalier.tensor.LaneAttention.Head;
import dev.espalier.tensor.LaneMath;
import dev.espalier.tensor.LaneMatrix;
import dev.espalier.tensor.Lanes;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// A pass with tokens side by side, all of it by Java: no product's input is laid out for it, and
/// the last block computes for the wanted positions only what nobody else asks for.
final class LanePass implements BlockPass {
  private final ModelShape shape;
  private final Weights weights;
  private final Lora lora;
  private final LaneMatrix head;
  private final Dtype dtype;
  private final Activations activations;
  private final List<Lanes> inputs = new ArrayList<>(); // of the blocks
  private final List<Block> blocks = new ArrayList<>(); // where they are kept
  private final LaneAttention attention;
  private final Row all;
  private final Row wanted;
  private final int[] at;
  private final float[] lastNorm;
  private final Lanes stream; // of the wanted
  private final Lanes hidden;

  /// Tokens that are computed for.
  ///
  /// @param tokens how many
  /// @param cos twice the cosines of their positions
  /// @param sin the sines, of the first half negative
  /// @param plan of their attention
  private record Row(int tokens, Lanes cos, Lanes sin, LanePlan plan) {
    Lanes empty(int features) {
      return Lanes.empty(tokens, features);
    }

    /// Computes the steps, which are done then.
    void run(List<TokenStep> steps) {
      TokenStep.run(tokens, steps);
      steps.clear();
      Device.cpu().giveWay();
    }
  }

  /// As [BlockPass#of] has it.
  LanePass(
      Decoder decoder,
      Weights weights,
      Lora lora,
      Dtype dtype,
      Activations activations,
      Tensor tokens,
      Tensor positions,
      List<Span> spans,
      int[] at) {
    shape = decoder.shape();
    this.weights = weights;
    this.lora = lora;
    if (Lanes.small(shape.bytes(dtype))) decoder.layOut(weights);
    head = new LaneMatrix(decoder.head(weights), weights.laid(shape.head()), 0);
    this.dtype = dtype;
    this.activations = activations;
    this.at = at;
    attention = new LaneAttention(shape.headDim());
    int length = Math.toIntExact(tokens.size(1));
    var angles = decoder.rotary().at(positions);
    var cos = Lanes.of(angles.cos().view(length, -1));
    var sin = Lanes.of(angles.sin().view(length, -1));
    all = new Row(length, cos, sin, LanePlan.of(spans));
    wanted = new Row(at.length, cos.some(at), sin.some(at), LanePlan.of(spans, at));
    var embedding = weights.get("model.embed_tokens.weight");
    var x = Lanes.of(torch.embedding(embedding, tokens.view(-1)).to(Dtype.F32.scalar()));
    var steps = new ArrayList<TokenStep>();
    for (int layer = 0; layer < shape.layers(); layer++) {
      inputs.add(x);
      var out = (isLast(layer) ? wanted : all).empty(shape.width());
      try (var scope = activations.ofBlock()) {
        var block = forward(layer, out, steps);
        if (scope == null) blocks.add(block);
        else block.row.run(steps);
      }
      x = out;
    }
    stream = x;
    hidden = wanted.empty(shape.width());
    lastNorm = weights.numbers("model.norm.weight");
    steps.add(norm(stream, lastNorm, hidden));
    wanted.run(steps);
  }

  private boolean isLast(int layer) {
    return layer == shape.layers() - 1;
  }

  /// A block's way forward, of which the last steps are still to be done.
  ///
  /// @param steps that come before, which are done then
  private Block forward(int layer, Lanes out, List<TokenStep> steps) {
    var block = new Block(layer, inputs.get(layer), isLast(layer) ? at : null);
    block.begin(steps);
    if (!isLast(layer)) block.ask(steps);
    all.run(steps);
    if (isLast(layer)) {
      block.ask(steps);
      wanted.run(steps);
    }
    block.attend();
    block.end(out, steps);
    return block;
  }

  /// A block as its way forward leaves it.
  private Block again(int layer) {
    var steps = new ArrayList<TokenStep>();
    var row = isLast(layer) ? wanted : all;
    var block = forward(layer, row.empty(shape.width()), steps);
    row.run(steps);
    return block;
  }

  @Override
  public Tensor hidden() {
    return hidden.rows(wanted.tokens());
  }

  @Override
  public @Nullable Scores scores(Tensor targets, double temperature) {
    if (lora.adapts(shape.head())) return null;
    var scores = new LaneScores(hidden, head, BlockPass.numbers(targets), temperature, true);
    return new Scores(scores.predictions(), gradient -> backward(scores.gradient(gradient)));
  }

  @Override
  public @Nullable Tensor logProbabilities(Tensor targets, double temperature) {
    if (lora.adapts(shape.head())) return null;
    return new LaneScores(hidden, head, BlockPass.numbers(targets), temperature, false)
        .predictions();
  }

  @Override
  public void backward(Tensor gradient) {
    backward(Lanes.of(gradient.contiguous()));
  }

  private void backward(Lanes gradient) {
    var steps = new ArrayList<TokenStep>();
    var ofAll = new Room(all);
    var ofWanted = new Room(wanted);
    steps.add(normGradient(stream, lastNorm, gradient, null, ofWanted.stream));
    for (int layer = shape.layers() - 1; layer >= 0; layer--) {
      try (var scope = activations.ofBlock()) {
        var block = scope == null ? blocks.get(layer) : again(layer);
        var own = block.wanted == null ? ofAll : ofWanted;
        block.endBackward(own, steps);
        own.row.run(steps);
        block.accumulateEnd(own);
        block.attendBackward(own, ofAll);
        block.beginBackward(own, ofAll, steps);
        all.run(steps);
        block.accumulateBegin(own, ofAll);
      }
    }
  }

  private TokenStep norm(Lanes from, float[] weight, Lanes to) {
    return LaneSteps.norm(from, weight, shape.normEps(), to);
  }

  private TokenStep normGradient(
      Lanes of, float[] weight, Lanes gradient, @Nullable Lanes start, Lanes to) {
    return TokenStep.ofPanels(panel ->
        LaneMath.normGradient(
            of.place(panel, 0),
            weight,
            shape.normEps(),
            gradient.place(panel, 0),
            start == null ? 0 : start.place(panel, 0),
            to.place(panel, 0)));
  }

  /// Gradients of one block after the other.
  private final class Room {
    final Row row;
    final Lanes stream; // of a block's output, then of its input
    final Lanes middle; // of the stream after attention
    final Lanes ofGated;
    final Lanes ofMixed;
    final Lanes ofQueries;
    final Lanes ofKeys; // as each query head has them, and so of values
    final Lanes ofValues;
    final Lanes ofKv;
    final Lanes ofNormed; // of either norm's output

    Room(Row row) {
      this.row = row;
      int asked = shape.heads() * shape.headDim();
      stream = row.empty(shape.width());
      middle = row.empty(shape.width());
      ofGated = row.empty(shape.ffn());
      ofMixed = row.empty(asked);
      ofQueries = row.empty(asked);
      ofKeys = row.empty(asked);
      ofValues = row.empty(asked);
      ofKv = row.empty(2 * shape.kvHeads() * shape.headDim());
      ofNormed = row.empty(shape.width());
    }
  }

  private final class Block {
    private final String name;
    private final boolean first;
    private final int @Nullable [] wanted; // positions of the row that are asked for, null for all
    private final Row row; // those
    private final LaneLinear q;
    private final LaneLinear kv;
    private final LaneLinear o;
    private final LaneLinear gateUp;
    private final LaneLinear down;
    private final float[] inputNorm;
    private final float[] middleNorm;
    private final LaneHeads queryHeads;
    private final LaneHeads keyHeads;
    private final Lanes x;
    private final Lanes normed;
    private final Lanes kvs; // as they are projected
    private final Lanes keys;
    private final Lanes asked; // queries, as they are projected
    private final Lanes queries;
    private final Lanes mixed;
    private final Lanes softmax; // two features of each head
    private final Lanes middle;
    private final Lanes gates;

    /// @param wanted positions of the row that the block's output is asked for; null for all
    Block(int layer, Lanes x, int @Nullable [] wanted) {
      this.x = x;
      this.wanted = wanted;
      first = layer == 0;
      name = "model.layers." + layer + ".";
      row = wanted == null ? all : LanePass.this.wanted;
      var projections = shape.projections(layer);
      var qkv = projections.getFirst();
      q = linear(qkv, 0, 1);
      kv = linear(qkv, 1, 3);
      o = linear(projections.get(1), 0, 1);
      gateUp = linear(projections.get(2), 0, 2);
      down = linear(projections.get(3), 0, 1);
      inputNorm = weights.numbers(name + "input_layernorm.weight");
      middleNorm = weights.numbers(name + "post_attention_layernorm.weight");
      queryHeads = heads(shape.heads(), "q_norm", row);
      keyHeads = heads(shape.kvHeads(), "k_norm", all);
      normed = all.empty(shape.width());
      kvs = all.empty(2 * shape.kvHeads() * shape.headDim());
      keys = all.empty(shape.kvHeads() * shape.headDim());
      asked = row.empty(shape.heads() * shape.headDim());
      queries = row.empty(shape.heads() * shape.headDim());
      mixed = row.empty(shape.heads() * shape.headDim());
      softmax = row.empty(2 * shape.heads());
      middle = row.empty(shape.width());
      gates = row.empty(2 * shape.ffn());
    }

    private LaneLinear linear(Projection projection, int from, int end) {
      return new LaneLinear(projection, from, end, weights, lora.sites(), dtype);
    }

    private LaneHeads heads(int count, String which, Row row) {
      var norm = shape.qkNorm() ? weights.numbers(name + "self_attn." + which + ".weight") : null;
      return new LaneHeads(0, count, shape.headDim(), norm, shape.normEps(), row.cos(), row.sin());
    }

    /// The steps of all tokens: keys and values.
    void begin(List<TokenStep> steps) {
      steps.add(norm(x, inputNorm, normed));
      steps.add(kv.forward(normed, null, kvs));
      steps.add(keyHeads.forward(kvs, keys));
    }

    /// The steps of those that are asked for, up to attention.
    void ask(List<TokenStep> steps) {
      steps.add(q.forward(wanted == null ? normed : normed.some(wanted), null, asked));
      steps.add(queryHeads.forward(asked, queries));
    }

    private Head firstKeys() {
      return new Head(keys, 0);
    }

    private Head firstValues() {
      return new Head(kvs, shape.kvHeads() * shape.headDim());
    }

    void attend() {
      LaneSteps.attend(shape, row.plan(), queries, firstKeys(), firstValues(), mixed, softmax);
    }

    /// The steps after attention.
    void end(Lanes out, List<TokenStep> steps) {
      steps.add(o.forward(mixed, wanted == null ? x : x.some(wanted), middle));
      var between = row.empty(shape.width());
      steps.add(norm(middle, middleNorm, between));
      steps.add(gateUp.forward(between, null, gates));
      var gated = row.empty(shape.ffn());
      steps.add(LaneSteps.gate(gates, gated));
      steps.add(down.forward(gated, middle, out));
    }

    /// The way back to attention.
    void endBackward(Room own, List<TokenStep> steps) {
      steps.add(down.backward(own.stream, null, own.ofGated));
      steps.add(
          TokenStep.ofPanels(panel ->
              LaneMath.gateGradient(
                  gates.place(panel, 0), shape.ffn(), own.ofGated.place(panel, 0))));
      steps.add(gateUp.backward(gates, null, own.ofNormed));
      steps.add(normGradient(middle, middleNorm, own.ofNormed, own.stream, own.middle));
      steps.add(o.backward(own.middle, null, own.ofMixed));
    }

    /// The way back through attention.
    void attendBackward(Room own, Room ofAll) {
      // panels of queries share keys, so a head's panels are one thread's
      Crew.device().run(shape.heads(), head -> attendBackward(own, ofAll, head));
    }

    private void attendBackward(Room own, Room ofAll, int head) {
      int from = head * shape.headDim();
      long each = attention.room();
      int panels = keys.panels();
      try (var arena = Arena.ofConfined()) {
        long ofKeys = arena.allocate(panels * each, Long.BYTES).address();
        long ofValues = arena.allocate(panels * each, Long.BYTES).address();
        for (int panel = 0; panel < queries.panels(); panel++) {
          attention.backward(
              queries.place(panel, from),
              LaneSteps.shared(shape, firstKeys(), head),
              LaneSteps.shared(shape, firstValues(), head),
              row.plan().blocks().get(panel),
              softmax.place(panel, 2 * head),
              own.ofMixed.place(panel, from),
              own.ofQueries.place(panel, from),
              ofKeys,
              ofValues);
        }
        for (int panel = 0; panel < panels; panel++) {
          attention.turnBack(ofKeys + each * panel, ofAll.ofKeys.place(panel, from));
          attention.turnBack(ofValues + each * panel, ofAll.ofValues.place(panel, from));
        }
      }
    }

    /// The way back from attention to the block's input, as far as it is not the first one's.
    void beginBackward(Room own, Room ofAll, List<TokenStep> steps) {
      steps.add(TokenStep.ofPanels(panel -> queryHeads.backward(panel, asked, own.ofQueries)));
      steps.add(q.backward(own.ofQueries, null, first ? null : own.ofNormed));
      if (wanted != null) own.row.run(steps);
      steps.add(TokenStep.ofPanels(panel -> keysBackward(ofAll, panel)));
      var rest = wanted == null ? own.ofNormed : null;
      steps.add(kv.backward(ofAll.ofKv, rest, first ? null : ofAll.ofNormed));
      if (first) return;
      if (wanted != null) {
        all.run(steps);
        own.ofNormed.addTo(ofAll.ofNormed, wanted);
      }
      var middle = wanted == null ? own.middle : null;
      steps.add(normGradient(x, inputNorm, ofAll.ofNormed, middle, ofAll.stream));
      if (wanted == null) return;
      all.run(steps);
      own.middle.addTo(ofAll.stream, wanted);
    }

    private void keysBackward(Room ofAll, int panel) {
      int shared = shape.kvHeads() * shape.headDim();
      sum(ofAll.ofKeys, panel, ofAll.ofKv, 0);
      sum(ofAll.ofValues, panel, ofAll.ofKv, shared);
      keyHeads.backward(panel, kvs, ofAll.ofKv);
    }

    /// What the query heads that share a head add up to.
    ///
    /// @param at the first feature of the shared heads
    private void sum(Lanes each, int panel, Lanes to, int at) {
      int group = shape.heads() / shape.kvHeads();
      int size = shape.headDim();
      for (int head = 0; head < shape.kvHeads(); head++) {
        long into = to.place(panel, at + head * size);
        LaneMath.copy(each.place(panel, head * group * size), into, size);
        for (int i = 1; i < group; i++) {
          LaneMath.add(each.place(panel, (head * group + i) * size), into, size);
        }
      }
    }

    void accumulateEnd(Room own) {
      down.accumulate(own.stream);
      gateUp.accumulate(gates);
      o.accumulate(own.middle);
    }

    void accumulateBegin(Room own, Room ofAll) {
      q.accumulate(own.ofQueries);
      kv.accumulate(ofAll.ofKv);
    }
  }
}
