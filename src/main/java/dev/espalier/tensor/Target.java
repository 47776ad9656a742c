package dev.espalier.tensor;

import org.jspecify.annotations.Nullable;

/// Where sums of products go, rounded once, and what is added to them before.
///
/// @param numbers of what is added, and of the product
/// @param out numbers of a row
/// @param bias where a row is that is added to each: (out); 0 for none
/// @param more where rows are that are added: (several, out); 0 for none
/// @param making what is still being made of `more`; null if nothing is
/// @param product (several, out)
record Target(
    Numbers numbers, int out, long bias, long more, @Nullable Making making, long product) {
  Target(Numbers numbers, int out, long bias, long more, long product) {
    this(numbers, out, bias, more, null, product);
  }

  private void await() {
    if (making != null) making.await();
  }

  private long place(long first, int row, int column) {
    return first + numbers.bytes() * ((long) row * out + column);
  }

  /// Puts what a panel's sums are of a row.
  ///
  /// @param sums as [Numbers#put] has them; they are overwritten
  /// @param column the panel's first; there may be none
  void put(float[] sums, int from, int row, int column) {
    if (column >= out) return;
    await();
    int count = Math.min(Tiles.COLUMNS, out - column);
    if (bias != 0) numbers.add(place(bias, 0, column), sums, from, count);
    if (more != 0) numbers.add(place(more, row, column), sums, from, count);
    numbers.put(sums, from, count, place(product, row, column));
  }

  /// Puts sums of a row that lie as [Bfloat16#put] has them.
  ///
  /// @param sums where they lie; they are overwritten
  void put(long sums, int count, int row, int column) {
    await();
    var pairs = Bfloat16.NUMBERS;
    if (bias != 0) pairs.add(place(bias, 0, column), count, sums);
    if (more != 0) pairs.add(place(more, row, column), count, sums);
    pairs.put(sums, count, place(product, row, column));
  }

  /// Puts sums of a row that follow each other.
  ///
  /// @param sums they are overwritten
  void putInOrder(float[] sums, int count, int row, int column) {
    await();
    if (bias != 0) numbers.addInOrder(place(bias, 0, column), sums, count);
    if (more != 0) numbers.addInOrder(place(more, row, column), sums, count);
    numbers.write(sums, place(product, row, column), count);
  }
}
