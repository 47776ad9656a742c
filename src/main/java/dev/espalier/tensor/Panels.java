package dev.espalier.tensor;

import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// A matrix laid out for products with a few rows, and with tokens side by side: [Tiles#COLUMNS] of
/// its rows beside each other.
///
/// Takes as much memory as the matrix, which it is a copy of, in its type; and where there is a
/// [SplitProduct], two more in bfloat16.
public final class Panels implements AutoCloseable {
  /// Panels that are read at once: the memory is read ahead in each.
  static final int TOGETHER = 4;

  /// How the numbers of a panel's rows follow each other.
  public enum Order {
    /// All first ones, then all second ones.
    ONES,
    /// The first two of each, then the next two, as [Brgemm] wants them.
    PAIRS;

    /// The one by which products with a few rows are fastest; null where they are by libtorch.
    ///
    /// @param dtype of a model's weights
    /// @param bytes of all of them
    public static @Nullable Order of(Dtype dtype, long bytes) {
      if (dtype == Dtype.BF16 && Brgemm.here()) return PAIRS;
      return Lanes.faster(dtype, bytes) ? ONES : null;
    }
  }

  private final Numbers numbers;
  private final int length;
  private final boolean paired;
  private final Tensor copy;
  private final @Nullable SplitProduct split;
  private final long at;

  /// @param matrix (out, length), contiguous
  /// @param order pairs are of bfloat16; where the length is odd, there are none
  /// @param lanes whether tokens side by side are multiplied, too
  public Panels(Tensor matrix, Order order, boolean lanes) {
    paired = order == Order.PAIRS && matrix.size(1) % 2 == 0;
    numbers = Numbers.of(Dtype.of(matrix));
    length = Math.toIntExact(matrix.size(1));
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      var whole = filledUp(matrix, TOGETHER * Tiles.COLUMNS, 1);
      copy = scope.keep(paired ? Brgemm.panels(whole, Tiles.COLUMNS) : ones(whole));
    }
    at = Rows.at(copy);
    split = lanes ? SplitProduct.of(matrix) : null;
  }

  private Tensor ones(Tensor whole) {
    return whole.view(-1, Tiles.COLUMNS, length).transpose(1, 2).contiguous();
  }

  /// A matrix with zeros up to multiples of so many rows and columns.
  static Tensor filledUp(Tensor matrix, int rows, int columns) {
    long below = Math.floorMod(-matrix.size(0), rows);
    long beside = Math.floorMod(-matrix.size(1), columns);
    if (below == 0 && beside == 0) return matrix;
    return torch.constant_pad_nd(matrix, new long[] {0, beside, 0, below}, new Scalar(0));
  }

  /// Whether they are laid out for [Brgemm].
  boolean paired() {
    return paired;
  }

  /// The products with tokens side by side that are faster than by panels, if there are any.
  @Nullable SplitProduct split() {
    return split;
  }

  /// Where a row of a panel begins.
  ///
  /// @param first the panel's first row of the matrix
  /// @param number of that row, which lies across the panel
  long at(int first, int number) {
    return at + (long) first * length * numbers.bytes() + width() * number;
  }

  /// Bytes of a panel's row; its rows follow each other.
  long width() {
    return (long) Tiles.COLUMNS * numbers.bytes();
  }

  /// Bytes from one panel to the next.
  long apart() {
    return width() * length;
  }

  @Override
  public void close() {
    copy.close();
    if (split != null) split.close();
  }
}
