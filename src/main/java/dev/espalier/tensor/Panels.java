package dev.espalier.tensor;

import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// A matrix laid out for products with a few rows, and with tokens side by side: [Tiles#COLUMNS] of
/// its rows beside each other, their first numbers, then their second ones.
///
/// Takes as much memory as the matrix, which it is a copy of, in its type.
public final class Panels implements AutoCloseable {
  /// Panels that are read at once: the memory is read ahead in each.
  static final int TOGETHER = 4;

  private final Numbers numbers;
  private final int length;
  private final Tensor copy;
  private final long at;

  /// @param matrix (out, length), contiguous
  public Panels(Tensor matrix) {
    numbers = Numbers.of(Dtype.of(matrix));
    length = Math.toIntExact(matrix.size(1));
    long missing = Math.floorMod(-matrix.size(0), TOGETHER * Tiles.COLUMNS);
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      var whole = missing == 0 ? matrix : padded(matrix, missing);
      copy = scope.keep(whole.view(-1, Tiles.COLUMNS, length).transpose(1, 2).contiguous());
    }
    at = Rows.at(copy);
  }

  private static Tensor padded(Tensor matrix, long missing) {
    var rows = new TensorVector();
    rows.push_back(matrix);
    rows.push_back(torch.zeros(new long[] {missing, matrix.size(1)}, Dtype.of(matrix).options()));
    return torch.cat(rows, 0);
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
