package dev.espalier.tensor;

import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// A matrix laid out for products with a few rows, and with tokens side by side: [Tiles#COLUMNS] of
/// its rows beside each other.
///
/// Takes as much memory as the matrix, which it is a copy of, in its type.
public final class Panels implements AutoCloseable {
  /// Panels that are read at once: the memory is read ahead in each.
  static final int TOGETHER = 4;

  /// How the numbers of a panel's rows follow each other.
  public enum Order {
    /// All first ones, then all second ones.
    ONES,
    /// The first two of each, then the next two, as [Brgemm] wants them.
    PAIRS
  }

  private final Numbers numbers;
  private final int length;
  private final Tensor copy;
  private final long at;

  /// @param matrix (out, length), contiguous
  /// @param order pairs are of bfloat16 and an even length
  public Panels(Tensor matrix, Order order) {
    numbers = Numbers.of(Dtype.of(matrix));
    length = Math.toIntExact(matrix.size(1));
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      var whole = filledUp(matrix, TOGETHER * Tiles.COLUMNS, 1);
      copy = scope.keep(order == Order.PAIRS ? Brgemm.panels(whole, Tiles.COLUMNS) : ones(whole));
    }
    at = Rows.at(copy);
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
  }
}
