package dev.espalier.model;

import dev.espalier.tensor.Crew;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.KeyValues;
import dev.espalier.tensor.RowProduct;
import dev.espalier.tensor.Rows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// One new token for each of several sequences: what [Decoder] computes, in the same order.
///
/// The products with the weights are one for all rows; everything else is done row by row ([Rows]),
/// for of a small model's step libtorch's calls would be the larger part. Nothing is recorded for
/// gradients.
public final class DecodePass {
  /// Where the sequences' keys and values lie.
  public interface Past {
    /// What a sequence sees at a layer, in the order of positions; the last place of the last is
    /// its new token's, whose keys and values are stored there.
    List<KeyValues> of(int layer, int row);

    /// Where else the new token's keys and values are stored, as the last place: in the caches of
    /// sequences that are the same so far.
    default List<KeyValues> copies(int layer, int row) {
      return List.of();
    }
  }

  private final Decoder decoder;
  private final ModelShape shape;
  private final Weights weights;
  private final Rotary rotary;
  private final Dtype dtype;
  private final Rows rows;
  private final List<Block> blocks = new ArrayList<>();
  private final float[] lastNorm;
  private final Projection head;

  private record Block(
      Projection qkv,
      Projection o,
      Projection gateUp,
      Projection down,
      float[] attentionNorm,
      float[] feedForwardNorm,
      float @Nullable [] queryNorm,
      float @Nullable [] keyNorm) {}

  /// On the device's thread.
  ///
  /// @param weights frozen
  /// @param dtype theirs
  public DecodePass(Decoder decoder, Weights weights, Dtype dtype) {
    this.decoder = decoder;
    shape = decoder.shape();
    rotary = decoder.rotary();
    this.weights = weights;
    this.dtype = dtype;
    rows = new Rows(dtype);
    head = shape.head();
    for (int layer = 0; layer < shape.layers(); layer++) {
      var name = "model.layers." + layer + ".";
      var projections = shape.projections(layer);
      blocks.add(
          new Block(
              projections.get(0),
              projections.get(1),
              projections.get(2),
              projections.get(3),
              weights.numbers(name + "input_layernorm.weight"),
              weights.numbers(name + "post_attention_layernorm.weight"),
              shape.qkNorm() ? weights.numbers(name + "self_attn.q_norm.weight") : null,
              shape.qkNorm() ? weights.numbers(name + "self_attn.k_norm.weight") : null));
    }
    lastNorm = weights.numbers("model.norm.weight");
  }

  /// Scores of the token after each, in float32.
  ///
  /// @param tokens B of them
  /// @param positions of each
  /// @return (B, vocabulary)
  public Tensor logits(int[] tokens, int[] positions, Past past, Adapters adapters) {
    int count = tokens.length;
    var x = embedded(tokens);
    var turns = Arrays.stream(positions).mapToObj(rotary::turn).toArray(Rotary.Turn[]::new);
    var in = input(count, shape.width());
    var mixed = input(count, (long) shape.heads() * shape.headDim());
    var gated = input(count, shape.ffn());
    Tensor added = null;
    for (int layer = 0; layer < blocks.size(); layer++) {
      var block = blocks.get(layer);
      norm(x, added, block.attentionNorm(), in);
      attend(layer, product(block.qkv(), in, count, adapters), turns, past, mixed);
      norm(x, product(block.o(), mixed, count, adapters), block.feedForwardNorm(), in);
      gate(product(block.gateUp(), in, count, adapters), gated);
      added = product(block.down(), gated, count, adapters);
    }
    norm(x, added, lastNorm, in);
    var scores = Decoder.product(in, decoder.head(weights), null).narrow(0, 0, count);
    return adapters.apply(head, in.narrow(0, 0, count), scores).to(Dtype.F32.scalar());
  }

  private float[][] embedded(int[] tokens) {
    var embedding = weights.get("model.embed_tokens.weight");
    return Arrays.stream(tokens)
        .mapToObj(token -> {
          var row = new float[shape.width()];
          rows.read(rows.after(Rows.at(embedding), (long) token * shape.width()), row);
          return row;
        })
        .toArray(float[][]::new);
  }

  /// Room for the input of a product.
  ///
  /// oneDNN compiles its products for every number of rows that it meets, so that there are more
  /// rows than needed, in numbers that come often; a few rows are multiplied by Java.
  private Tensor input(int count, long width) {
    int step = RowProduct.takes(count) ? 1 : count <= 16 ? 4 : 8;
    long padded = Math.ceilDiv(count, step) * (long) step;
    return torch.zeros(new long[] {padded, width}, dtype.options());
  }

  /// All layers of a projection, with their biases and adapters: (B or more, in) → (B, out).
  private Tensor product(Projection projection, Tensor in, int count, Adapters adapters) {
    var out = Decoder.product(in, weights.weight(projection), weights.bias(projection));
    return adapters.apply(projection, in.narrow(0, 0, count), out.narrow(0, 0, count));
  }

  /// Adds what a product gave, and normalises the sum for the next.
  private void norm(float[][] x, @Nullable Tensor added, float[] weight, Tensor in) {
    long width = shape.width();
    long more = added == null ? 0 : Rows.at(added);
    long to = Rows.at(in);
    Crew.device()
        .run(
            x.length,
            row -> {
              if (added != null) rows.add(rows.after(more, row * width), x[row]);
              var out = new float[x[row].length];
              Rows.norm(x[row], weight, shape.normEps(), out);
              rows.write(out, rows.after(to, row * width));
            });
  }

  private void gate(Tensor gateUp, Tensor gated) {
    int width = shape.ffn();
    long from = Rows.at(gateUp);
    long to = Rows.at(gated);
    Crew.device()
        .run(
            (int) gateUp.size(0),
            row ->
                rows.gate(
                    rows.after(from, 2L * row * width), rows.after(to, (long) row * width), width));
  }

  /// The attention of all rows and heads; those that may share a start follow each other.
  ///
  /// @param qkv (B, (H + 2·KV)·hd)
  /// @param mixed (B or more, H·hd)
  private void attend(int layer, Tensor qkv, Rotary.Turn[] turns, Past past, Tensor mixed) {
    int count = turns.length;
    long wide = qkv.size(1);
    long narrow = mixed.size(1);
    long from = Rows.at(qkv);
    long to = Rows.at(mixed);
    Crew.device()
        .run(
            count * shape.kvHeads(),
            job -> {
              int row = job % count;
              attend(
                  layer,
                  job / count,
                  rows.after(from, row * wide),
                  turns[row],
                  past.of(layer, row),
                  past.copies(layer, row),
                  rows.after(to, row * narrow));
            });
  }

  /// The queries of one row that share a key-value head.
  ///
  /// @param qkv the row's
  /// @param mixed the row's
  private void attend(
      int layer,
      int head,
      long qkv,
      Rotary.Turn turn,
      List<KeyValues> past,
      List<KeyValues> copies,
      long mixed) {
    int hd = shape.headDim();
    int group = shape.heads() / shape.kvHeads();
    var block = blocks.get(layer);
    var own = past.getLast();
    long place = place(own, head);
    long key = rows.after(qkv, (shape.heads() + (long) head) * hd);
    turned(key, block.keyNorm(), turn, own.keys() + place);
    rows.copy(rows.after(key, (long) shape.kvHeads() * hd), own.values() + place, hd);
    for (var copy : copies) {
      rows.copy(own.keys() + place, copy.keys() + place(copy, head), hd);
      rows.copy(own.values() + place, copy.values() + place(copy, head), hd);
    }
    for (int i = 0; i < group; i++) {
      long at = ((long) head * group + i) * hd;
      long query = rows.after(qkv, at);
      turned(query, block.queryNorm(), turn, query);
      rows.attend(query, hd, past, head, rows.after(mixed, at));
    }
  }

  /// The last place of a head, in bytes from where keys or values begin.
  private long place(KeyValues cache, int head) {
    return rows.after(head * cache.apart(), (cache.length() - 1L) * shape.headDim());
  }

  /// Normalises a query or key where the family asks for it, and turns it to its position.
  private void turned(long from, float @Nullable [] norm, Rotary.Turn turn, long to) {
    var numbers = new float[shape.headDim()];
    rows.read(from, numbers);
    if (norm != null) Rows.norm(numbers, norm, shape.normEps(), numbers);
    Rows.rotate(numbers, 0, turn.cos(), turn.sin());
    rows.write(numbers, to);
  }
}
