package dev.espalier.model;

import dev.espalier.tensor.Crew;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Matrix;
import dev.espalier.tensor.Rows;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// Attention over the chunks of a packed row in float32, with its gradients by hand. H query heads
/// share KV key-value heads.
///
/// A chunk of a head is a job of one thread, whose scores stay in its cache.
final class AttentionPass {
  /// Gradients of queries, and of keys and values as each query head has them: (T, H·hd), float32.
  record Gradients(Tensor queries, Tensor keys, Tensor values) {}

  private static final Rows NUMBERS = new Rows(Dtype.F32);

  private final int heads;
  private final int group;
  private final int headDim;
  private final float scale;
  private final Matrix inputs; // (T, (H + 2·KV)·hd): queries, keys, values
  private final List<Part> parts = new ArrayList<>();
  private final Tensor output;

  /// A chunk and what its queries see.
  ///
  /// @param keys (m, KV·hd)
  /// @param values (m, KV·hd)
  /// @param weights (H·n, m)
  private record Part(PackedPlan.Chunk chunk, Matrix keys, Matrix values, Matrix weights) {}

  /// The forward pass.
  ///
  /// @param inputs (T, (H + 2·KV)·hd), float32: queries, keys, values
  AttentionPass(PackedPlan plan, ModelShape shape, Tensor inputs) {
    heads = shape.heads();
    group = shape.heads() / shape.kvHeads();
    headDim = shape.headDim();
    scale = (float) (1 / Math.sqrt(headDim));
    this.inputs = Matrix.of(inputs);
    int kv = shape.kvHeads() * headDim;
    for (var chunk : plan.chunks()) {
      var seen = seen(inputs.narrow(1, (long) heads * headDim, 2L * kv), chunk);
      var weights = torch.empty((long) heads * chunk.queries(), seen.rows());
      parts.add(new Part(chunk, seen.columns(0, kv), seen.columns(kv, kv), Matrix.of(weights)));
    }
    long[] size = {inputs.size(0), (long) heads * headDim};
    output = torch.empty(size, Dtype.F32.options(), null);
    var mixed = Matrix.of(output);
    Crew.device()
        .run(parts.size() * heads, job -> forward(parts.get(job / heads), job % heads, mixed));
  }

  /// (T, H·hd), float32
  Tensor output() {
    return output;
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
    weights.set(1, queries, part.keys().columns(shared, headDim).transpose());
    softmax(weights, chunk);
    mixed
        .rows(chunk.from(), chunk.queries())
        .columns(head * headDim, headDim)
        .set(1, weights, part.values().columns(shared, headDim));
  }

  /// Makes scores weights: of the spans that a query's own continues, and of its own up to it.
  private void softmax(Matrix weights, PackedPlan.Chunk chunk) {
    int before = chunk.seen();
    var scores = new float[weights.columns()];
    var row = new float[weights.columns()];
    for (int q = 0; q < chunk.queries(); q++) {
      int own = before + chunk.starts()[q] - chunk.own();
      int count = chunk.from() + q + 1 - chunk.starts()[q];
      NUMBERS.read(weights.place(q, 0), row);
      System.arraycopy(row, 0, scores, 0, before);
      System.arraycopy(row, own, scores, before, count);
      Rows.softmax(scores, before + count, scale);
      Arrays.fill(row, 0);
      System.arraycopy(scores, 0, row, 0, before);
      System.arraycopy(scores, before, row, own, count);
      NUMBERS.write(row, weights.place(q, 0));
    }
  }

  /// @param gradient of the output, (T, H·hd), float32
  Gradients backward(Tensor gradient) {
    var out =
        new Gradients(
            torch.empty_like(gradient), torch.zeros_like(gradient), torch.zeros_like(gradient));
    var given = Matrix.of(gradient);
    var queries = Matrix.of(out.queries());
    var keys = Matrix.of(out.keys());
    var values = Matrix.of(out.values());
    // chunks share keys, so a head's chunks are one thread's
    Crew.device()
        .run(
            heads,
            head -> {
              int at = head * headDim;
              try (var arena = Arena.ofConfined()) {
                var backward =
                    new Backward(
                        arena,
                        head,
                        given.columns(at, headDim),
                        queries.columns(at, headDim),
                        keys.columns(at, headDim),
                        values.columns(at, headDim));
                for (var part : parts) backward.add(part);
              }
            });
    return out;
  }

  /// The way back of one head; matrices are (T, hd).
  private final class Backward {
    private final int head;
    private final Matrix given;
    private final Matrix queries;
    private final Matrix keys;
    private final Matrix values;
    private final long scores; // room for those of the largest chunk

    Backward(Arena arena, int head, Matrix given, Matrix queries, Matrix keys, Matrix values) {
      this.head = head;
      this.given = given;
      this.queries = queries;
      this.keys = keys;
      this.values = values;
      long most = 0;
      for (var part : parts) {
        most = Math.max(most, (long) part.chunk().queries() * part.keys().rows());
      }
      scores = arena.allocate(most * Float.BYTES, Float.BYTES).address();
    }

    void add(Part part) {
      var chunk = part.chunk();
      int n = chunk.queries();
      int m = part.keys().rows();
      int shared = head / group * headDim;
      var out = given.rows(chunk.from(), n);
      var weights = part.weights().rows(head * n, n);
      scatter(chunk, weights.transpose(), out, 1, values);
      var toScores = Matrix.at(scores, n, m);
      toScores.set(1, out, part.values().columns(shared, headDim).transpose());
      softmax(toScores, weights);
      queries.rows(chunk.from(), n).set(scale, toScores, part.keys().columns(shared, headDim));
      var asked = inputs.rows(chunk.from(), n).columns(head * headDim, headDim);
      scatter(chunk, toScores.transpose(), asked, scale, keys);
    }

    /// The gradient of a softmax: p · (g − Σ g·p).
    private static void softmax(Matrix toScores, Matrix weights) {
      int count = toScores.columns();
      var gradient = new float[count];
      var weight = new float[count];
      for (int q = 0; q < toScores.rows(); q++) {
        NUMBERS.read(toScores.place(q, 0), gradient);
        NUMBERS.read(weights.place(q, 0), weight);
        float sum = Rows.dot(gradient, 0, weight, 0, count);
        for (int i = 0; i < count; i++) gradient[i] = weight[i] * (gradient[i] - sum);
        NUMBERS.write(gradient, toScores.place(q, 0));
      }
    }

    /// Adds scale · a·b, a row for each key of a chunk, to where its keys came from.
    private void scatter(PackedPlan.Chunk chunk, Matrix a, Matrix b, float scale, Matrix to) {
      int own = chunk.to() - chunk.own();
      int done = 0;
      for (var range : chunk.before()) {
        int count = range[1] - range[0];
        to.rows(range[0], count).add(scale, a.rows(done, count), b);
        done += count;
      }
      to.rows(chunk.own(), own).add(scale, a.rows(done, own), b);
    }
  }
}
