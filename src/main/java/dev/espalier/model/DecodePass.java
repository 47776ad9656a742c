package dev.espalier.model;

import dev.espalier.model.DecodeAttention.Norms;
import dev.espalier.tensor.Crew;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.KeyValues;
import dev.espalier.tensor.RowProduct;
import dev.espalier.tensor.Rows;
import dev.espalier.tensor.Scope;
import dev.espalier.tensor.Scratch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// One new token for each of several sequences: what [Decoder] computes, in the same order.
///
/// The products with the weights are one for all rows; everything else is done row by row ([Rows]),
/// for of a small model's step libtorch's calls would be the larger part. Products of a few rows
/// too are Java's. Nothing is recorded for gradients.
public final class DecodePass implements AutoCloseable {
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

  private static final long NORM = 16; // multiplications that a number's norm takes as long as
  private static final long GATE = 20;

  private final ModelShape shape;
  private final Rotary rotary;
  private final Dtype dtype;
  private final Rows rows;
  private final List<Block> blocks = new ArrayList<>();
  private final float[] lastNorm;
  private final long embedding;
  private final Linear head;
  private final Scratch scratch = new Scratch(); // for what adapters make of an input
  private @Nullable Room room;

  private record Block(
      Linear qkv,
      Linear o,
      Linear gateUp,
      Linear down,
      float[] attentionNorm,
      float[] feedForwardNorm,
      Norms norms) {}

  /// A projection with its weights, which are kept.
  ///
  /// @param out numbers of a row of the product
  /// @param bias where the base's lies; 0 for none
  private record Linear(
      Projection projection, BaseLinear base, long out, long bias, RowProduct product) {}

  /// Rows between two products.
  ///
  /// @param count B
  /// @param padded with as many as the product wants
  /// @param rows (B, width)
  /// @param at where they lie
  private record Place(int count, Tensor padded, Tensor rows, long at) {}

  /// Room for what lies between two products, kept while the batch is as large.
  private record Room(
      Place in, Place mixed, Place gated, Place qkv, Place gateUp, Place added, Place scores) {
    List<Place> places() {
      return List.of(in, mixed, gated, qkv, gateUp, added, scores);
    }
  }

  /// On the device's thread.
  ///
  /// @param weights frozen, which are laid out here
  /// @param dtype theirs
  public DecodePass(Decoder decoder, Weights weights, Dtype dtype) {
    shape = decoder.shape();
    rotary = decoder.rotary();
    this.dtype = dtype;
    rows = new Rows(dtype);
    decoder.layOut(weights);
    try (var scope = new Scope()) {
      for (int layer = 0; layer < shape.layers(); layer++) {
        var name = "model.layers." + layer + ".";
        var linears =
            shape.projections(layer).stream()
                .map(it -> linear(scope, it, weights, weights.weight(it)))
                .toList();
        blocks.add(
            new Block(
                linears.get(0),
                linears.get(1),
                linears.get(2),
                linears.get(3),
                weights.numbers(name + "input_layernorm.weight"),
                weights.numbers(name + "post_attention_layernorm.weight"),
                new Norms(
                    shape.qkNorm() ? weights.numbers(name + "self_attn.q_norm.weight") : null,
                    shape.qkNorm() ? weights.numbers(name + "self_attn.k_norm.weight") : null)));
      }
      head = linear(scope, shape.head(), weights, decoder.head(weights));
    }
    embedding = Rows.at(weights.get("model.embed_tokens.weight"));
    lastNorm = weights.numbers("model.norm.weight");
  }

  private static Linear linear(Scope scope, Projection projection, Weights weights, Tensor weight) {
    var kept = scope.keep(weight);
    var bias = weights.bias(projection);
    return new Linear(
        projection,
        new BaseLinear(kept, bias == null ? null : scope.keep(bias), null),
        weight.size(0),
        Rows.orNone(bias),
        new RowProduct(kept, weights.laid(projection)));
  }

  /// Scores of the token after each, until the next step.
  ///
  /// @param tokens B of them
  /// @param positions of each
  /// @return (B, vocabulary)
  public Tensor logits(int[] tokens, int[] positions, Past past, MixedAdapters adapters) {
    var room = room(tokens.length);
    var x = embedded(tokens);
    var turns = Arrays.stream(positions).mapToObj(rotary::turn).toArray(Rotary.Turn[]::new);
    var attention = new DecodeAttention(shape, dtype, past, positions, turns);
    Place added = null;
    for (int layer = 0; layer < blocks.size(); layer++) {
      var block = blocks.get(layer);
      norm(x, added, block.attentionNorm(), room.in());
      var qkv = product(block.qkv(), room.in(), room.qkv(), adapters);
      attention.attend(layer, block.norms(), qkv.at(), room.mixed().at());
      added = product(block.o(), room.mixed(), room.added(), adapters);
      norm(x, added, block.feedForwardNorm(), room.in());
      var gateUp = product(block.gateUp(), room.in(), room.gateUp(), adapters);
      gate(gateUp, room.gated());
      added = product(block.down(), room.gated(), room.added(), adapters);
    }
    norm(x, added, lastNorm, room.in());
    return product(head, room.in(), room.scores(), adapters).rows();
  }

  private Room room(int count) {
    if (room != null && room.in().count() == count) return room;
    if (room != null) free(room);
    try (var scope = new Scope()) {
      room =
          new Room(
              place(scope, count, shape.width()),
              place(scope, count, (long) shape.heads() * shape.headDim()),
              place(scope, count, shape.ffn()),
              place(scope, count, shape.qkvWidth()),
              place(scope, count, 2L * shape.ffn()),
              place(scope, count, shape.width()),
              place(scope, count, shape.vocabulary()));
    }
    return room;
  }

  /// Room for as many rows as the products want.
  private Place place(Scope scope, int count, long width) {
    long[] padded = {head.product().padded(count), width};
    var all = scope.keep(torch.zeros(padded, dtype.options()));
    return new Place(count, all, scope.keep(all.narrow(0, 0, count)), Rows.at(all));
  }

  private static void free(Room room) {
    for (var place : room.places()) {
      place.rows().close();
      place.padded().close();
    }
  }

  /// All layers of a projection, with their biases and adapters.
  ///
  /// @param out where they may go
  /// @return where they are
  private Place product(Linear linear, Place in, Place out, MixedAdapters adapters) {
    int count = in.count();
    if (linear.product().takes(count)) {
      if (adapters.change(linear.projection())) {
        long made = scratch.at((long) dtype.bytes() * count * linear.out());
        var making = adapters.making(linear.projection(), in.at(), made);
        linear.product().times(in.at(), count, linear.bias(), making, out.at());
      } else {
        linear.product().times(in.at(), count, linear.bias(), 0, out.at());
      }
      return out;
    }
    var all = adapters.apply(linear.projection(), in.padded(), linear.base());
    return new Place(count, all, all.narrow(0, 0, count), Rows.at(all));
  }

  private float[][] embedded(int[] tokens) {
    return Arrays.stream(tokens)
        .mapToObj(token -> {
          var row = new float[shape.width()];
          rows.read(rows.after(embedding, (long) token * shape.width()), row);
          return row;
        })
        .toArray(float[][]::new);
  }

  /// Adds what a product gave, and normalises the sum for the next.
  private void norm(float[][] x, @Nullable Place added, float[] weight, Place in) {
    long width = shape.width();
    long more = added == null ? 0 : added.at();
    long to = in.at();
    Crew.device()
        .run(
            x.length,
            NORM * x.length * width,
            row -> {
              if (added != null) rows.add(rows.after(more, row * width), x[row]);
              var out = new float[x[row].length];
              Rows.norm(x[row], weight, shape.normEps(), out);
              rows.write(out, rows.after(to, row * width));
            });
  }

  private void gate(Place gateUp, Place gated) {
    int count = gated.count();
    int width = shape.ffn();
    long from = gateUp.at();
    long to = gated.at();
    Crew.device()
        .run(
            count,
            GATE * count * width,
            row ->
                rows.gate(
                    rows.after(from, 2L * row * width), rows.after(to, (long) row * width), width));
  }

  @Override
  public void close() {
    if (room != null) free(room);
    room = null;
    for (var block : blocks) {
      for (var linear : List.of(block.qkv(), block.o(), block.gateUp(), block.down())) free(linear);
    }
    free(head);
  }

  private static void free(Linear linear) {
    linear.base().weight().close();
    if (linear.base().bias() != null) linear.base().bias().close();
  }
}
