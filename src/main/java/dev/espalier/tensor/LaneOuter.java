package dev.espalier.tensor;

import static dev.espalier.tensor.Lanes.ROW;
import static dev.espalier.tensor.Numbers.LANES;

/// Products of features with features, added up over all tokens: the gradient of a matrix.
public final class LaneOuter {
  private static final int SIDE = 4; // features of either side at a time
  private static final ThreadLocal<float[]> PARTIAL =
      ThreadLocal.withInitial(() -> new float[SIDE * SIDE * LANES]);

  private LaneOuter() {}

  /// Adds scale · Σ one · other to a matrix.
  ///
  /// @param one features from that one on, a row for each
  /// @param other likewise, a column for each
  /// @param to (rows, columns), where the matrix lies
  /// @param first of the columns that are computed, a multiple of four
  /// @param end of the columns
  public static void add(
      Lanes one,
      int row,
      int rows,
      Lanes other,
      int column,
      int columns,
      float scale,
      long to,
      int first,
      int end) {
    var partial = PARTIAL.get();
    var numbers = Float32.NUMBERS;
    long apart = ROW * one.features();
    long otherApart = ROW * other.features();
    for (int j = first; j < end; j += SIDE) {
      for (int i = 0; i < rows; i += SIDE) {
        long left = one.place(0, row + i);
        long right = other.place(0, column + j);
        LaneTiles.dots(left, apart, right, otherApart, one.panels(), partial);
        Numbers.sums(partial);
        for (int r = 0; r < Math.min(SIDE, rows - i); r++) {
          for (int c = 0; c < Math.min(SIDE, end - j); c++) {
            long place = to + (long) Float.BYTES * ((long) (i + r) * columns + j + c);
            numbers.set(place, numbers.get(place) + scale * partial[r * SIDE + c]);
          }
        }
      }
    }
  }
}
