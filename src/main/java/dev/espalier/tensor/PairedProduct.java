package dev.espalier.tensor;

/// Rows times a matrix of bfloat16 by [Brgemm].
///
/// @param panels the matrix laid out, in pairs
/// @param in length of a row
/// @param out length of its product
record PairedProduct(Panels panels, int in, int out) {
  private static final int BYTES = Bfloat16.NUMBERS.bytes();
  private static final long SUMS = (long) Float.BYTES * Brgemm.ROWS * Tiles.COLUMNS;
  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  /// Some columns of the product, on the calling thread.
  ///
  /// @param rows where they lie: (several, in), with what [Brgemm#padded] asks for
  /// @param first of the columns, where a panel begins
  /// @param most of them
  /// @param product where it goes: (several, out)
  void times(long rows, int several, int first, int most, long product) {
    long sums = SCRATCH.get().at(SUMS);
    for (int i = first; i < first + most && i < out; i += Tiles.COLUMNS) {
      int columns = Math.min(Tiles.COLUMNS, out - i);
      for (int row = 0; row < several; row += Brgemm.ROWS) {
        int some = Math.min(Brgemm.ROWS, several - row);
        long from = rows + (long) row * in * BYTES;
        int count = Brgemm.padded(some);
        Brgemm.multiply(
            from, count, in, in, panels.at(i, 0), Tiles.COLUMNS, sums, Tiles.COLUMNS, false);
        for (int j = 0; j < some; j++) {
          long to = product + ((long) (row + j) * out + i) * BYTES;
          Bfloat16.NUMBERS.put(sums + Tiles.WIDTH * j, columns, to);
        }
      }
    }
    Brgemm.release();
  }
}
