package dev.espalier.tensor;

import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// A frozen matrix laid out for its products, in as many copies as the processor has ways that are
/// worth one.
///
/// @param ones for one row, and for several; null where they are multiplied faster otherwise
/// @param pairs for several rows, by [Brgemm]
/// @param split for tokens side by side
public record Laid(@Nullable Panels ones, @Nullable Panels pairs, @Nullable SplitProduct split)
    implements AutoCloseable {
  /// Lays a matrix out; null where no copy is worth it.
  ///
  /// @param matrix (out, length), contiguous
  /// @param bytes of all of a model's matrices
  /// @param lanes whether tokens side by side are multiplied, too
  public static @Nullable Laid of(Tensor matrix, long bytes, boolean lanes) {
    var dtype = Dtype.of(matrix);
    boolean ones = Lanes.faster(dtype, bytes);
    boolean pairs = dtype == Dtype.BF16 && Brgemm.here() && matrix.size(1) % 2 == 0;
    if (!ones && !pairs) return null;
    return new Laid(
        ones ? new Panels(matrix, Panels.Order.ONES) : null,
        pairs ? new Panels(matrix, Panels.Order.PAIRS) : null,
        lanes ? SplitProduct.of(matrix) : null);
  }

  @Override
  public void close() {
    if (ones != null) ones.close();
    if (pairs != null) pairs.close();
    if (split != null) split.close();
  }
}
