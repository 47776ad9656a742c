package dev.espalier.model;

import dev.espalier.tensor.Crew;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Matrix;
import dev.espalier.tensor.Rows;
import dev.espalier.tensor.Scratch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// Attention over the chunks of a packed row, with its gradients by hand. H query heads share KV
/// key-value heads.
///
/// A chunk of a head is a job of one thread, whose scores stay in its cache. They are float32; what
/// is multiplied is of the type of queries, keys and values.
final class AttentionPass {
  /// Gradients of queries, (T, H·hd), and of keys and values, (T, KV·hd), in float32.
  record Gradients(Tensor queries, Tensor keys, Tensor values) {}

  private static final Rows WIDE = new Rows(Dtype.F32);
  private static final ThreadLocal<Room> ROOM = ThreadLocal.withInitial(Room::new);

  private final int heads;
  private final int group;
  private final int headDim;
  private final float scale;
  private final Dtype dtype; // of what is multiplied
  private final Matrix inputs; // (T, (H + 2·KV)·hd): queries, keys, values
  private final List<Part> parts = new ArrayList<>();

  /// A chunk and what its queries see.
  ///
  /// @param keys (m, KV·hd)
  /// @param values (m, KV·hd)
  /// @param weights (H·n, m)
  private record Part(PackedPlan.Chunk chunk, Matrix keys, Matrix values, Matrix weights) {}

  /// A thread's, for one chunk of a head.
  private static final class Room {
    private final Scratch scores = new Scratch();
    private final Scratch gradients = new Scratch();
    private final Scratch mixed = new Scratch();

    Matrix scores(int queries, int keys) {
      return matrix(scores, Dtype.F32, queries, keys);
    }

    /// Of the scores.
    Matrix gradients(Dtype dtype, int queries, int keys) {
      return matrix(gradients, dtype, queries, keys);
    }

    Matrix mixed(int queries, int headDim) {
      return matrix(mixed, Dtype.F32, queries, headDim);
    }

    private static Matrix matrix(Scratch memory, Dtype dtype, int rows, int columns) {
      return Matrix.at(dtype, memory.at((long) dtype.bytes() * rows * columns), rows, columns);
    }
  }

  /// The type that queries, keys and values must have in a model of that type.
  static Dtype type(Dtype ofModel) {
    return Matrix.multiplies(ofModel) ? ofModel : Dtype.F32;
  }

  /// The forward pass.
  ///
  /// @param inputs (T, (H + 2·KV)·hd): queries, keys, values
  /// @param output (T, H·hd), of any type
  AttentionPass(PackedPlan plan, ModelShape shape, Tensor inputs, Tensor output) {
    heads = shape.heads();
    group = shape.heads() / shape.kvHeads();
    headDim = shape.headDim();
    scale = (float) (1 / Math.sqrt(headDim));
    dtype = Dtype.of(inputs);
    this.inputs = Matrix.of(inputs);
    int kv = shape.kvHeads() * headDim;
    for (var chunk : plan.chunks()) {
      var seen = seen(inputs.narrow(1, (long) heads * headDim, 2L * kv), chunk);
      long[] size = {(long) heads * chunk.queries(), seen.rows()};
      var weights = torch.empty(size, dtype.options(), null);
      parts.add(new Part(chunk, seen.columns(0, kv), seen.columns(kv, kv), Matrix.of(weights)));
    }
    var mixed = Matrix.of(output);
    Crew.device()
        .run(parts.size() * heads, job -> forward(parts.get(job / heads), job % heads, mixed));
  }

  /// Keys and values of a chunk, where they lie if that is together.
  private static Matrix seen(Tensor keysAndValues, PackedPlan.Chunk chunk) {
    var own = keysAndValues.narrow(0, chunk.own(), (long) chunk.to() - chunk.own());
    if (chunk.before().isEmpty()) return Matrix.of(own);
    var all = new TensorVector();
    for (var range : chunk.before()) {
      all.push_back(keysAndValues.narrow(0, range[0], (long) range[1] - range[0]));
    }
    all.push_back(own);
    return Matrix.of(torch.cat(all, 0));
  }

  private void forward(Part part, int head, Matrix mixed) {
    var chunk = part.chunk();
    var weights = part.weights().rows(head * chunk.queries(), chunk.queries());
    int shared = head / group * headDim;
    var queries = inputs.rows(chunk.from(), chunk.queries()).columns(head * headDim, headDim);
    var room = ROOM.get();
    var scores = room.scores(chunk.queries(), weights.columns());
    scores.set(queries, part.keys().columns(shared, headDim).transpose());
    softmax(scores, weights, chunk);
    var made = room.mixed(chunk.queries(), headDim);
    made.set(weights, part.values().columns(shared, headDim));
    var rows = new Rows(mixed.dtype());
    var row = new float[headDim];
    for (int q = 0; q < chunk.queries(); q++) {
      WIDE.read(made.place(q, 0), row);
      rows.write(row, mixed.place(chunk.from() + q, head * headDim));
    }
  }

  /// Makes scores weights: of the spans that a query's own continues, and of its own up to it.
  private void softmax(Matrix from, Matrix weights, PackedPlan.Chunk chunk) {
    var rows = new Rows(dtype);
    int before = chunk.seen();
    var row = new float[weights.columns()];
    for (int q = 0; q < chunk.queries(); q++) {
      int own = before + chunk.starts()[q] - chunk.own();
      int count = chunk.from() + q + 1 - chunk.starts()[q];
      WIDE.read(from.place(q, 0), row);
      // what it sees, together
      if (before > 0) System.arraycopy(row, own, row, before, count);
      int first = before > 0 ? 0 : own;
      Rows.softmax(row, first, before + count, scale);
      if (before > 0) System.arraycopy(row, before, row, own, count);
      Arrays.fill(row, before, own, 0);
      Arrays.fill(row, own + count, row.length, 0);
      rows.write(row, weights.place(q, 0));
    }
  }

  /// @param gradient of the output, (T, H·hd)
  Gradients backward(Tensor gradient) {
    long length = gradient.size(0);
    long[] shared = {length, (long) heads / group * headDim};
    var options = Dtype.F32.options();
    var out =
        new Gradients(
            torch.empty(new long[] {length, gradient.size(1)}, options, null),
            torch.zeros(shared, options),
            torch.zeros(shared, options));
    var given = Matrix.of(gradient.to(dtype.scalar()));
    var queries = Matrix.of(out.queries());
    var keys = Matrix.of(out.keys());
    var values = Matrix.of(out.values());
    var families = families();
    int kvHeads = heads / group;
    Crew.device()
        .run(
            families.size() * kvHeads,
            job -> {
              int kvHead = job % kvHeads;
              for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
                var backward =
                    new Backward(
                        head,
                        given.columns(head * headDim, headDim),
                        queries.columns(head * headDim, headDim),
                        keys.columns(kvHead * headDim, headDim),
                        values.columns(kvHead * headDim, headDim));
                families.get(job / kvHeads).forEach(backward::add);
              }
            });
    return out;
  }

  /// Parts that share keys, which one thread adds to.
  private List<List<Part>> families() {
    var families = new TreeMap<Integer, List<Part>>(); // by the first key
    int end = 0; // of the chunks so far that continue none
    for (var part : parts) {
      var chunk = part.chunk();
      int first = chunk.own();
      if (!chunk.before().isEmpty()) {
        first = chunk.before().getFirst()[0];
      } else {
        if (first >= end) families.put(first, new ArrayList<>());
        end = chunk.to();
      }
      families.floorEntry(first).getValue().add(part);
    }
    return List.copyOf(families.values());
  }

  /// The way back of one query head; matrices are (T, hd).
  private final class Backward {
    private final int head;
    private final Matrix given;
    private final Matrix queries;
    private final Matrix keys;
    private final Matrix values;

    Backward(int head, Matrix given, Matrix queries, Matrix keys, Matrix values) {
      this.head = head;
      this.given = given;
      this.queries = queries;
      this.keys = keys;
      this.values = values;
    }

    void add(Part part) {
      var chunk = part.chunk();
      int n = chunk.queries();
      int m = part.keys().rows();
      int shared = head / group * headDim;
      var out = given.rows(chunk.from(), n);
      var weights = part.weights().rows(head * n, n);
      scatter(chunk, weights.transpose(), out, values);
      var room = ROOM.get();
      var toWeights = room.scores(n, m);
      toWeights.set(out, part.values().columns(shared, headDim).transpose());
      var toScores = room.gradients(dtype, n, m);
      softmax(toWeights, weights, toScores);
      queries.rows(chunk.from(), n).set(toScores, part.keys().columns(shared, headDim));
      var asked = inputs.rows(chunk.from(), n).columns(head * headDim, headDim);
      scatter(chunk, toScores.transpose(), asked, keys);
    }

    /// The gradient of a softmax of scaled scores: scale · p · (g − Σ g·p).
    private void softmax(Matrix toWeights, Matrix weights, Matrix toScores) {
      var rows = new Rows(dtype);
      int count = toWeights.columns();
      var gradient = new float[count];
      var weight = new float[count];
      for (int q = 0; q < toWeights.rows(); q++) {
        WIDE.read(toWeights.place(q, 0), gradient);
        rows.read(weights.place(q, 0), weight);
        float sum = Rows.dot(gradient, 0, weight, 0, count);
        for (int i = 0; i < count; i++) gradient[i] = scale * weight[i] * (gradient[i] - sum);
        rows.write(gradient, toScores.place(q, 0));
      }
    }

    /// Adds a·b, a row for each key of a chunk, to where its keys came from.
    private void scatter(PackedPlan.Chunk chunk, Matrix a, Matrix b, Matrix to) {
      int own = chunk.to() - chunk.own();
      int done = 0;
      for (var range : chunk.before()) {
        int count = range[1] - range[0];
        to.rows(range[0], count).add(a.rows(done, count), b);
        done += count;
      }
      to.rows(chunk.own(), own).add(a.rows(done, own), b);
    }
  }
}
