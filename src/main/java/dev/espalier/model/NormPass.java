package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.RowGradients;
import dev.espalier.tensor.Rows;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// A norm of the residual stream, and what is added to the stream before it; with its gradient by
/// hand.
final class NormPass {
  private static final Rows WIDE = new Rows(Dtype.F32);

  private final Tensor before; // (T, D), float32
  private final @Nullable Tensor added;
  private final float[] weight;
  private final double eps;
  private final Rows rows;
  private final Tensor sum;
  private final Tensor output;

  /// @param before the stream, (T, D), float32
  /// @param added to it: (T, D) of that type
  /// @param weight of the norm, D
  /// @param dtype of the output
  NormPass(Tensor before, @Nullable Tensor added, float[] weight, double eps, Dtype dtype) {
    this.before = before;
    this.added = added;
    this.weight = weight;
    this.eps = eps;
    rows = new Rows(dtype);
    sum = added == null ? before : torch.empty_like(before);
    output = torch.empty(before.sizes().vec().get(), dtype.options(), null);
  }

  /// The stream after what was added, (T, D), float32.
  Tensor sum() {
    return sum;
  }

  /// (T, D)
  Tensor output() {
    return output;
  }

  /// Makes the sum and the output.
  TokenStep forward() {
    int width = weight.length;
    long from = Rows.at(before);
    long more = added == null ? 0 : Rows.at(added);
    long stream = Rows.at(sum);
    long to = Rows.at(output);
    return (first, end) -> {
      var row = new float[width];
      var out = new float[width];
      for (long t = first; t < end; t++) {
        WIDE.read(WIDE.after(from, t * width), row);
        if (added != null) {
          rows.read(rows.after(more, t * width), out);
          for (int i = 0; i < width; i++) row[i] += out[i];
          WIDE.write(row, WIDE.after(stream, t * width));
        }
        Rows.norm(row, weight, eps, out);
        rows.write(out, rows.after(to, t * width));
      }
    };
  }

  /// Adds the gradient of the sum.
  ///
  /// @param gradient of the output, of its type
  /// @param stream the stream's, (T, D), float32
  /// @param rounded where the stream's goes as well, in the output's type; null if nobody wants it
  TokenStep backward(Tensor gradient, Tensor stream, @Nullable Tensor rounded) {
    int width = weight.length;
    long normalised = Rows.at(sum);
    long from = Rows.at(gradient);
    long to = Rows.at(stream);
    long also = rounded == null ? 0 : Rows.at(rounded);
    return (first, end) -> {
      var row = new float[width];
      var out = new float[width];
      for (long t = first; t < end; t++) {
        WIDE.read(WIDE.after(normalised, t * width), row);
        rows.read(rows.after(from, t * width), out);
        RowGradients.norm(row, 0, weight, eps, out);
        WIDE.read(WIDE.after(to, t * width), row);
        for (int i = 0; i < width; i++) row[i] += out[i];
        WIDE.write(row, WIDE.after(to, t * width));
        if (rounded != null) rows.write(row, rows.after(also, t * width));
      }
    };
  }
}
