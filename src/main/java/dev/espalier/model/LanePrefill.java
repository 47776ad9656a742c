package dev.espalier.model;

import dev.espalier.model.KeptAttention.Piece;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.LaneAttention.Head;
import dev.espalier.tensor.LaneMath;
import dev.espalier.tensor.LaneMatrix;
import dev.espalier.tensor.Lanes;
import dev.espalier.tensor.VectorLowRank;
import dev.espalier.tensor.VectorLowRank.Block;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// The decoder's pass over many tokens side by side, of which no gradient is wanted; the caller
/// keeps keys and values.
///
/// In the last block only the wanted tokens ask.
final class LanePrefill {
  private static final int MANY = 32; // tokens: laying out weights for fewer takes too long

  private final ModelShape shape;
  private final Weights weights;
  private final PackedAdapters adapters;
  private final KeptAttention kept;
  private final Past past;
  private final int length;
  private final Lanes cos;
  private final Lanes sin;

  /// A projection with its adapters' matrices.
  private record Linear(LaneWeight weight, List<Added> added) {
    TokenStep forward(Lanes x, @Nullable Lanes start, Lanes out) {
      int rank = added.stream().mapToInt(it -> it.a().rows()).max().orElse(0);
      var inner = Lanes.empty(x.panels() * Lanes.PANEL, Lanes.padded(rank));
      return (from, end) -> {
        int first = from / Lanes.PANEL;
        int last = Lanes.panels(end);
        var before = start == null ? null : start.part(first, last);
        weight.multiply(x.part(first, last), before, out.part(first, last));
        for (var one : added) one.add(x, inner, out, first, last);
      };
    }
  }

  /// An adapter's matrices of a projection, for the tokens of a run.
  ///
  /// @param a (R, in)
  /// @param b the blocks of B
  private record Added(LaneMatrix a, List<Block> b, int from, int end) {
    /// @param inner room for what A makes of the tokens
    /// @param first of the panels, of which there may be none of the run's
    /// @param last the panel after them
    void add(Lanes x, Lanes inner, Lanes out, int first, int last) {
      int begin = Math.max(first, from / Lanes.PANEL);
      int beyond = Math.min(last, Lanes.panels(end));
      if (begin >= beyond) return;
      var down = inner.part(begin, beyond);
      a.multiply(x.part(begin, beyond), null, down);
      keep(inner, begin);
      keep(inner, beyond - 1);
      for (var block : b) {
        var to = out.part(begin, beyond).from(block.column());
        block.matrix().multiplyTransposed(down.from(block.rank()), to, to);
      }
    }

    /// Other runs' tokens of a panel get nothing of this adapter.
    private void keep(Lanes inner, int panel) {
      int before = panel * Lanes.PANEL;
      if (from <= before && end >= before + Lanes.PANEL) return;
      LaneMath.keep(inner.place(panel, 0), a.rows(), from - before, end - before);
    }
  }

  LanePrefill(
      Decoder decoder,
      Weights weights,
      PackedAdapters adapters,
      KeptAttention kept,
      Tensor positions) {
    shape = decoder.shape();
    past = Past.of(kept.pieces());
    this.weights = weights;
    this.adapters = adapters;
    this.kept = kept;
    length = Math.toIntExact(positions.size(1));
    var angles = decoder.rotary().at(positions);
    cos = Lanes.of(angles.cos().view(length, -1));
    sin = Lanes.of(angles.sin().view(length, -1));
  }

  /// Whether a pass can be computed so, and is faster then.
  static boolean takes(ModelShape shape, Weights weights, Tensor tokens) {
    return tokens.numel() >= MANY && BlockPass.sideBySide(shape, type(shape, weights));
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
    var projections = shape.projections(layer);
    var mixed = attend(layer, name, linear(projections.getFirst(), adapters), x, wanted);
    var asked = wanted == null ? adapters : adapters.some(wanted);
    int count = wanted == null ? length : wanted.length;
    if (wanted != null) x = x.some(wanted);
    var middle = Lanes.empty(count, shape.width());
    var normed = Lanes.empty(count, shape.width());
    var gates = Lanes.empty(count, 2 * shape.ffn());
    var gated = Lanes.empty(count, shape.ffn());
    var out = Lanes.empty(count, shape.width());
    var norm = weights.numbers(name + "post_attention_layernorm.weight");
    run(
        count,
        List.of(
            linear(projections.get(1), asked).forward(mixed, x, middle),
            LaneSteps.norm(middle, norm, shape.normEps(), normed),
            linear(projections.get(2), asked).forward(normed, null, gates),
            LaneSteps.gate(gates, gated),
            linear(projections.get(3), asked).forward(gated, middle, out)));
    return out;
  }

  private Linear linear(Projection projection, PackedAdapters adapters) {
    var added = new ArrayList<Added>();
    for (var run : adapters.runs()) {
      var pair = run.pair(projection);
      if (pair == null) continue;
      var read = (VectorLowRank) pair; // as all are of models that are computed with side by side
      added.add(new Added(read.lanes(), read.blocks(), run.from(), run.end()));
    }
    var weight = LaneWeight.of(projection, weights, 0, weights.weight(projection).size(0));
    return new Linear(weight, added);
  }

  private Lanes attend(int layer, String name, Linear qkv, Lanes x, int @Nullable [] wanted) {
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
    kept.keep(
        layer,
        byHead(turned.rows(asked, shared, length).to(type)),
        byHead(all.rows(asked + shared, shared, length).to(type)));
    var keys = past.lanes(length, shared);
    var values = past.lanes(length, shared);
    for (int panel = 0; panel < x.panels(); panel++) {
      int own = past.panels() + panel;
      LaneMath.copy(turned.place(panel, asked), keys.place(own, 0), shared);
      LaneMath.copy(all.place(panel, asked + shared), values.place(own, 0), shared);
    }
    int before = 0;
    for (int piece = 0; piece < past.pieces().size(); piece++) {
      for (var some : kept.before(layer, piece)) {
        keys.fill(before, some.keys());
        values.fill(before, some.values());
        before += Lanes.panels(Math.toIntExact(some.keys().size(1)));
      }
    }
    var queries = wanted == null ? turned : turned.some(wanted);
    int tokens = queries.panels() * Lanes.PANEL;
    var mixed = Lanes.empty(tokens, asked);
    var softmax = Lanes.empty(tokens, 2 * shape.heads());
    LaneSteps.attend(
        shape, past.plan(wanted), queries, new Head(keys, 0), new Head(values, 0), mixed, softmax);
    return mixed;
  }

  /// What the pieces of a row go on from, each part of it from a panel of its own on, and then the
  /// row itself.
  ///
  /// @param panels before the row
  private record Past(List<Piece> pieces, int panels, List<Span> spans, LanePlan all) {
    static Past of(List<Piece> pieces) {
      var spans = new ArrayList<Span>();
      var parents = new int[pieces.size()];
      int panels = 0;
      for (int i = 0; i < parents.length; i++) {
        parents[i] = -1;
        for (int count : pieces.get(i).before()) {
          spans.add(new Span(count, parents[i]));
          parents[i] = spans.size() - 1;
          int missing = Lanes.panels(count) * Lanes.PANEL - count;
          if (missing > 0) spans.add(Span.whole(missing)); // nobody sees it
          panels += Lanes.panels(count);
        }
      }
      int tokens = 0;
      for (int i = 0; i < parents.length; i++) {
        spans.add(new Span(pieces.get(i).tokens(), parents[i]));
        tokens += pieces.get(i).tokens();
      }
      int start = panels * Lanes.PANEL;
      var all = LanePlan.of(spans, IntStream.range(start, start + tokens).toArray());
      return new Past(pieces, panels, spans, all);
    }

    /// Of the row's tokens, or of some.
    LanePlan plan(int @Nullable [] wanted) {
      if (wanted == null) return all;
      int start = panels * Lanes.PANEL;
      return LanePlan.of(spans, Arrays.stream(wanted).map(at -> start + at).toArray());
    }

    Lanes lanes(int tokens, int features) {
      return Lanes.empty(panels * Lanes.PANEL + tokens, features);
    }
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

  private Tensor byHead(Tensor x) { // (T, KV·hd) → (1, KV, T, hd)
    return x.view(1, length, shape.kvHeads(), shape.headDim()).transpose(1, 2);
  }
}
