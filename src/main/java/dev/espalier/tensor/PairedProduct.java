package dev.espalier.tensor;

/// Rows times a matrix of bfloat16 by [Brgemm].
///
/// @param panels the matrix laid out, in pairs
/// @param in length of a row
/// @param out length of its product
record PairedProduct(Panels panels, int in, int out) {
  private static final int BYTES = Bfloat16.NUMBERS.bytes();
  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  /// Some columns of the product, on the calling thread.
  ///
  /// @param rows where they lie: (several, in), with what [Brgemm#padded] asks for
  /// @param first of the columns, where a panel begins
  /// @param most of them, a multiple of a panel's
  void times(long rows, int several, int first, int most, Target to) {
    int columns = Math.min(most, out - first);
    long size = (long) Float.BYTES * most; // of a row's sums
    long sums = SCRATCH.get().at(size * Brgemm.ROWS);
    for (int row = 0; row < several; row += Brgemm.ROWS) {
      int some = Math.min(Brgemm.ROWS, several - row);
      long from = rows + (long) row * in * BYTES;
      int count = Brgemm.padded(some);
      for (int i = 0; i < columns; i += Tiles.COLUMNS) {
        long at = sums + (long) Float.BYTES * i;
        long panel = panels.at(first + i, 0);
        Brgemm.multiply(from, count, in, in, panel, Tiles.COLUMNS, at, most, false);
      }
      for (int j = 0; j < some; j++) to.put(sums + size * j, columns, row + j, first);
    }
    Brgemm.release();
  }
}
