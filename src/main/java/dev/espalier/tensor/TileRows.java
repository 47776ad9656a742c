package dev.espalier.tensor;

import static dev.espalier.tensor.Numbers.FLOATS;
import static dev.espalier.tensor.Numbers.LANES;

import jdk.incubator.vector.FloatVector;

/// Rows as tiles read them: the first numbers of a tile's rows, then their second ones, and so on.
///
/// The tile that begins with row r begins at r times a row's length.
final class TileRows {
  private float[] numbers = {};
  private float[] rows = {}; // of one tile, as they are
  private final float[] square = new float[LANES * LANES];

  private void room(int count, int length) {
    int size = Math.ceilDiv(count, Tiles.FEW) * Tiles.FEW * length + LANES;
    if (numbers.length < size) numbers = new float[size];
    if (rows.length < Tiles.ROWS * length) rows = new float[Tiles.ROWS * length];
  }

  /// Lays rows that follow each other, until it lays others.
  ///
  /// @param from where the first one's first number lies
  float[] lay(Numbers type, long from, int count, int length) {
    room(count, length);
    int high;
    for (int row = 0; row < count; row += high) {
      high = Tiles.rows(count - row);
      int some = Math.min(high, count - row);
      for (int i = 0; i < some; i++) {
        long at = from + (long) (row + i) * length * type.bytes();
        type.read(at, rows, i * length, length);
      }
      lay(some, high, length, row * length);
    }
    return numbers;
  }

  /// Lays rows that were read, by squares that are turned.
  private void lay(int some, int high, int length, int to) {
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      for (int row = 0; row < high; row++) {
        var part =
            row < some
                ? FloatVector.fromArray(FLOATS, rows, row * length + i)
                : FloatVector.zero(FLOATS);
        part.intoArray(square, row * LANES);
      }
      Numbers.turn(square);
      // the lanes beyond a tile's rows are overwritten by the next number's
      for (int n = 0; n < LANES; n++) {
        FloatVector.fromArray(FLOATS, square, n * LANES).intoArray(numbers, to + (i + n) * high);
      }
    }
    for (; i < length; i++) {
      for (int row = 0; row < high; row++) {
        numbers[to + i * high + row] = row < some ? rows[row * length + i] : 0;
      }
    }
  }
}
