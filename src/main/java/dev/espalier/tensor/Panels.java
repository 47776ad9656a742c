package dev.espalier.tensor;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// A matrix laid out for products with a few rows: [Tiles#COLUMNS] of its rows side by side, their
/// first numbers, then their second ones.
///
/// Takes as much memory as the matrix, which it is a copy of, in its type.
final class Panels implements AutoCloseable {
  /// Panels that are read at once: the memory is read ahead in each.
  static final int TOGETHER = 4;

  private final Numbers numbers;
  private final int length;
  private final Tensor copy;
  private final long at;

  /// @param matrix (out, length), contiguous
  Panels(Tensor matrix) {
    numbers = Numbers.of(Dtype.of(matrix));
    length = Math.toIntExact(matrix.size(1));
    int out = Math.toIntExact(matrix.size(0));
    int block = TOGETHER * Tiles.COLUMNS;
    long padded = (long) Math.ceilDiv(out, block) * block;
    try (var scope = new Scope()) {
      copy = scope.keep(torch.empty(new long[] {padded, length}, Dtype.of(matrix).options(), null));
    }
    at = Rows.at(copy);
    long from = Rows.at(matrix);
    Crew.device()
        .run(
            (int) (padded / Tiles.COLUMNS),
            panel -> {
              int first = panel * Tiles.COLUMNS;
              int count = Math.clamp(out - first, 0, Tiles.COLUMNS);
              long row = (long) length * numbers.bytes();
              numbers.panel(from + row * first, count, length, at(first, 0));
            });
  }

  /// Where a row of a panel begins.
  ///
  /// @param first the panel's first row of the matrix
  /// @param number of that row, which lies across the panel
  long at(int first, int number) {
    return at + ((long) first * length + (long) number * Tiles.COLUMNS) * numbers.bytes();
  }

  /// Bytes from one panel to the next.
  long apart() {
    return (long) Tiles.COLUMNS * length * numbers.bytes();
  }

  @Override
  public void close() {
    copy.close();
  }
}
