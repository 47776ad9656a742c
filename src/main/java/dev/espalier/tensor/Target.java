package dev.espalier.tensor;

/// Where sums of products go, rounded once, and what is added to them before.
///
/// @param numbers of what is added, and of the product
/// @param out numbers of a row
/// @param bias where a row is that is added to each: (out); 0 for none
/// @param more where rows are that are added: (several, out); 0 for none
/// @param product (several, out)
record Target(Numbers numbers, int out, long bias, long more, long product) {
  private long place(long first, int row, int column) {
    return first + numbers.bytes() * ((long) row * out + column);
  }

  /// Puts what a panel's sums are of a row.
  ///
  /// @param sums as [Numbers#put] has them; they are overwritten
  /// @param column the panel's first; there may be none
  void put(float[] sums, int from, int row, int column) {
    if (column >= out) return;
    int count = Math.min(Tiles.COLUMNS, out - column);
    if (bias != 0) numbers.add(place(bias, 0, column), sums, from, count);
    if (more != 0) numbers.add(place(more, row, column), sums, from, count);
    numbers.put(sums, from, count, place(product, row, column));
  }

  /// Puts sums of a row that lie as [Bfloat16#put] has them.
  ///
  /// @param sums where they lie; they are overwritten
  void put(long sums, int count, int row, int column) {
    var pairs = Bfloat16.NUMBERS;
    if (bias != 0) pairs.add(place(bias, 0, column), sums, count);
    if (more != 0) pairs.add(place(more, row, column), sums, count);
    pairs.put(sums, count, place(product, row, column));
  }

  /// Puts sums of a row that follow each other.
  ///
  /// @param sums they are overwritten
  void putInOrder(float[] sums, int count, int row, int column) {
    if (bias != 0) add(sums, count, place(bias, 0, column));
    if (more != 0) add(sums, count, place(more, row, column));
    numbers.write(sums, place(product, row, column), count);
  }

  private void add(float[] sums, int count, long from) {
    var some = new float[count];
    numbers.read(from, some, count);
    for (int i = 0; i < count; i++) sums[i] += some[i];
  }
}
