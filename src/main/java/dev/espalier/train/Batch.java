package dev.espalier.train;

import dev.espalier.model.Span;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// A row as tensors; the scope it was made in owns them.
///
/// @param tokens (1, T) int64
/// @param positions (1, T) int64, counted from the start of each sequence
/// @param spans the pieces of the row
/// @param at (N) int64, where in the row a prediction carries loss
/// @param targets (N) int64, the token to predict there
public record Batch(Tensor tokens, Tensor positions, List<Span> spans, Tensor at, Tensor targets) {

  /// Makes the tensors of a row.
  ///
  /// @throws IllegalArgumentException if no token carries loss
  public static Batch of(Row row) {
    int length = row.ids().length;
    int trained = row.trained();
    if (trained == 0)
      throw new IllegalArgumentException("a batch without a token that carries loss");
    var tokens = new long[length];
    var positions = new long[length];
    var at = new long[trained];
    var targets = new long[trained];
    var starts = Span.starts(row.spans());
    var ends = new long[starts.length]; // each span's last token in the row
    int t = 0;
    int n = 0;
    for (int s = 0; s < starts.length; s++) {
      var span = row.spans().get(s);
      for (int i = 0; i < span.length(); i++, t++) {
        tokens[t] = row.ids()[t];
        positions[t] = (long) starts[s] + i;
        if (row.weights()[t] == 0) continue;
        at[n] = i > 0 ? t - 1L : ends[span.parent()];
        targets[n++] = row.ids()[t];
      }
      ends[s] = t - 1L;
    }
    var whole = new TensorOptions(ScalarType.Long);
    return new Batch(
        torch.tensor(tokens, whole).view(1, -1),
        torch.tensor(positions, whole).view(1, -1),
        row.spans(),
        torch.tensor(at, whole),
        torch.tensor(targets, whole));
  }

  /// Some of its predictions.
  Batch part(long from, long count) {
    return new Batch(
        tokens, positions, spans, at.narrow(0, from, count), targets.narrow(0, from, count));
  }

  /// The number of predictions that carry loss.
  public long trained() {
    return at.size(0);
  }
}
