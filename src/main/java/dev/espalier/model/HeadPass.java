package dev.espalier.model;

import dev.espalier.model.Rotary.Angles;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.RowGradients;
import dev.espalier.tensor.Rows;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// What happens to queries and keys before attention: norms where the family has them, and the
/// rotation to their positions; with its gradient by hand.
final class HeadPass {
  private final ModelShape shape;
  private final Rows rows;
  private final Rows wide = new Rows(Dtype.F32);
  private final Rows out;
  private final float @Nullable [] queryNorm;
  private final float @Nullable [] keyNorm;
  private final long qkv; // (T, (H + 2·KV)·hd)
  private final long cos; // (T, hd), float32
  private final long sin;
  private final Tensor output;

  /// @param angles of T positions
  /// @param dtype of what the projection gave
  /// @param qkv (T, (H + 2·KV)·hd), of that type
  HeadPass(
      ModelShape shape,
      Angles angles,
      Dtype dtype,
      float @Nullable [] queryNorm,
      float @Nullable [] keyNorm,
      Tensor qkv) {
    this.shape = shape;
    cos = Rows.at(angles.cos());
    sin = Rows.at(angles.sin());
    this.queryNorm = queryNorm;
    this.keyNorm = keyNorm;
    this.qkv = Rows.at(qkv);
    rows = new Rows(dtype);
    var type = AttentionPass.type(dtype);
    out = new Rows(type);
    output = torch.empty(qkv.sizes().vec().get(), type.options(), null);
  }

  /// Queries, keys and values, as numbers that the projection's type has: (T, (H + 2·KV)·hd), of
  /// the type that [AttentionPass] wants.
  Tensor output() {
    return output;
  }

  TokenStep forward() {
    long to = Rows.at(output);
    return (first, end) -> forward(first, end, to);
  }

  private void forward(int first, int end, long to) {
    var turns = new Turns();
    int width = shape.qkvWidth();
    var token = new float[width];
    for (int t = first; t < end; t++) {
      turns.read(t);
      long place = (long) t * width;
      rows.read(rows.after(qkv, place), token);
      for (int head = 0; head < shape.heads() + shape.kvHeads(); head++) {
        int from = head * shape.headDim();
        var norm = norm(head);
        if (norm != null) Rows.norm(token, from, norm, shape.normEps(), token);
        Rows.rotate(token, from, turns.cosines, turns.sines);
      }
      rows.round(token);
      out.write(token, out.after(to, place));
    }
  }

  private float @Nullable [] norm(int head) {
    return head < shape.heads() ? queryNorm : keyNorm;
  }

  /// The gradient of what the projection gave.
  ///
  /// @param gradients of queries, keys and values
  /// @param to (T, (H + 2·KV)·hd), where it goes, in the projection's type
  TokenStep backward(AttentionPass.Gradients gradients, Tensor to) {
    long queries = Rows.at(gradients.queries());
    long keys = Rows.at(gradients.keys());
    long values = Rows.at(gradients.values());
    long all = Rows.at(to);
    return (first, end) -> backward(queries, keys, values, all, first, end);
  }

  private void backward(long queries, long keys, long values, long to, int first, int end) {
    var turns = new Turns();
    int width = shape.qkvWidth();
    int asked = shape.heads() * shape.headDim();
    int shared = shape.kvHeads() * shape.headDim();
    var token = new float[width];
    var gradient = new float[width];
    var ofQueries = new float[asked];
    var ofShared = new float[shared];
    for (int t = first; t < end; t++) {
      turns.read(t);
      long place = (long) t * width;
      rows.read(rows.after(qkv, place), token);
      read(queries, t, ofQueries);
      System.arraycopy(ofQueries, 0, gradient, 0, asked);
      read(keys, t, ofShared);
      System.arraycopy(ofShared, 0, gradient, asked, shared);
      read(values, t, ofShared);
      System.arraycopy(ofShared, 0, gradient, asked + shared, shared);
      for (int head = 0; head < shape.heads() + shape.kvHeads(); head++) {
        int from = head * shape.headDim();
        RowGradients.rotate(gradient, from, turns.cosines, turns.sines);
        var norm = norm(head);
        if (norm != null) RowGradients.norm(token, from, norm, shape.normEps(), gradient);
      }
      rows.write(gradient, rows.after(to, place));
    }
  }

  private void read(long gradients, int token, float[] to) {
    wide.read(wide.after(gradients, (long) token * to.length), to);
  }

  /// The rotation of one token.
  private final class Turns {
    final float[] cosines = new float[shape.headDim()];
    final float[] sines = new float[shape.headDim()];

    void read(int token) {
      long place = (long) token * shape.headDim();
      wide.read(wide.after(cos, place), cosines);
      wide.read(wide.after(sin, place), sines);
    }
  }
}
