package dev.espalier.tensor;

import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// A matrix laid out for products with a few rows, and with tokens side by side: [Tiles#COLUMNS] of
/// its rows beside each other, their first numbers, then their second ones; or the first two of
/// each, then the next two, as [Brgemm] wants them.
///
/// Takes as much memory as the matrix, which it is a copy of, in its type.
public final class Panels implements AutoCloseable {
  /// Panels that are read at once: the memory is read ahead in each.
  static final int TOGETHER = 4;

  private final Numbers numbers;
  private final int length;
  private final boolean paired;
  private final Tensor copy;
  private final long at;

  /// Whether products of a few rows are faster with panels than by libtorch.
  ///
  /// @param dtype of a model's weights
  /// @param bytes of all of them
  public static boolean serve(Dtype dtype, long bytes) {
    return Lanes.faster(dtype, bytes) || Brgemm.here();
  }

  /// For the products that are the faster ones here.
  ///
  /// @param matrix (out, length), contiguous
  /// @param bytes of all of a model's matrices
  public static Panels of(Tensor matrix, long bytes) {
    var dtype = Dtype.of(matrix);
    boolean pairs = matrix.size(1) % 2 == 0;
    return new Panels(matrix, pairs && !Lanes.faster(dtype, bytes) && Brgemm.here());
  }

  /// @param matrix (out, length), contiguous
  /// @param paired whether two numbers of a row stay together; of bfloat16 and an even length
  Panels(Tensor matrix, boolean paired) {
    this.paired = paired;
    numbers = Numbers.of(Dtype.of(matrix));
    length = Math.toIntExact(matrix.size(1));
    long missing = Math.floorMod(-matrix.size(0), TOGETHER * Tiles.COLUMNS);
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      var whole = missing == 0 ? matrix : padded(matrix, missing);
      copy = scope.keep((paired ? pairs(whole) : columns(whole)).contiguous());
    }
    at = Rows.at(copy);
  }

  private Tensor columns(Tensor whole) {
    return whole.view(-1, Tiles.COLUMNS, length).transpose(1, 2);
  }

  /// Even columns come first, as [Numbers#put] expects what is summed of them.
  private Tensor pairs(Tensor whole) {
    return whole.view(-1, Tiles.COLUMNS / 2, 2, length / 2, 2).permute(0, 3, 2, 1, 4);
  }

  private static Tensor padded(Tensor matrix, long missing) {
    var rows = new TensorVector();
    rows.push_back(matrix);
    rows.push_back(torch.zeros(new long[] {missing, matrix.size(1)}, Dtype.of(matrix).options()));
    return torch.cat(rows, 0);
  }

  /// Whether they are laid out for [Brgemm].
  boolean paired() {
    return paired;
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
