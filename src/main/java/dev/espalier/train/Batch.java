package dev.espalier.train;

import dev.espalier.tensor.Dtype;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// Rows of equal length as tensors; the scope it was made in owns them.
///
/// @param tokens (B, T) int64
/// @param positions (B, T) int64, counted from the start of each sequence
/// @param sequence (B, T) int64
/// @param at (N) int64, where in the flattened (B·T) hidden states a prediction carries loss
/// @param targets (N) int64, the token to predict there
/// @param weights (N) float32
/// @param packed whether some row holds more than one sequence
public record Batch(
    Tensor tokens,
    Tensor positions,
    Tensor sequence,
    Tensor at,
    Tensor targets,
    Tensor weights,
    boolean packed) {

  /// Puts rows together.
  ///
  /// @throws IllegalArgumentException if they differ in length or no token carries loss
  public static Batch of(List<Row> rows) {
    int length = rows.getFirst().ids().length;
    int trained = rows.stream().mapToInt(Row::trained).sum();
    if (trained == 0)
      throw new IllegalArgumentException("a batch without a token that carries loss");
    var tokens = new long[rows.size() * length];
    var positions = new long[tokens.length];
    var sequence = new long[tokens.length];
    var at = new long[trained];
    var targets = new long[trained];
    var weights = new float[trained];
    boolean packed = false;
    int n = 0;
    for (int b = 0; b < rows.size(); b++) {
      var row = rows.get(b);
      if (row.ids().length != length) throw new IllegalArgumentException("rows differ in length");
      for (int t = 0; t < length; t++) {
        int i = b * length + t;
        boolean first = t == 0 || row.sequence()[t] != row.sequence()[t - 1];
        packed |= first && t > 0;
        tokens[i] = row.ids()[t];
        positions[i] = first ? 0 : positions[i - 1] + 1;
        sequence[i] = row.sequence()[t];
        if (row.weights()[t] == 0) continue;
        at[n] = i - 1L;
        targets[n] = row.ids()[t];
        weights[n++] = row.weights()[t];
      }
    }
    var whole = new TensorOptions(ScalarType.Long);
    long[] shape = {rows.size(), length};
    return new Batch(
        torch.tensor(tokens, whole).view(shape),
        torch.tensor(positions, whole).view(shape),
        torch.tensor(sequence, whole).view(shape),
        torch.tensor(at, whole),
        torch.tensor(targets, whole),
        torch.tensor(weights, Dtype.F32.options()),
        packed);
  }

  /// The number of predictions that carry loss.
  public long trained() {
    return at.size(0);
  }
}
