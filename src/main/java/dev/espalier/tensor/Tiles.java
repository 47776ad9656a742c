package dev.espalier.tensor;

import static dev.espalier.tensor.Numbers.FLOATS;
import static dev.espalier.tensor.Numbers.LANES;
import static dev.espalier.tensor.Numbers.MEMORY;
import static dev.espalier.tensor.Numbers.ORDER;
import static dev.espalier.tensor.Numbers.WIDE;

import jdk.incubator.vector.FloatVector;

/// The innermost loops of products of float32 matrices: a few rows times a panel of columns, with
/// each sum in a register.
///
/// They are long because C2 keeps sums in registers that it sees by name. Every sum is added up in
/// the order of its row, by segments, so that a row's products have the same bits whatever stands
/// beside it.
final class Tiles {
  static final int FEW = 4;

  /// Rows of a tile, as long as there are as many; what is left is in tiles of [#FEW], and so is
  /// all where registers are few.
  static final int ROWS = WIDE ? 12 : FEW;

  /// Numbers that are added up before they are added to the rest, so that long rows lose no more.
  static final int SEGMENT = 256;

  /// Columns of a panel.
  static final int COLUMNS = 2 * LANES;

  /// Bytes of a panel's row; its rows follow each other.
  static final long WIDTH = (long) Float.BYTES * COLUMNS;

  /// Whether this processor has registers for the sums.
  static final boolean HERE = LANES >= 8;

  private static final long NEXT = WIDTH / 2;

  private Tiles() {}

  /// Rows of the tile that begins where so many are left.
  static int rows(int left) {
    return left < ROWS ? FEW : ROWS;
  }

  /// Twelve rows times a panel; where registers are many.
  ///
  /// @param left rows as [TileRows] lays them
  /// @param from where they begin
  /// @param length of a row, and rows of the panel
  /// @param sums (ROWS, COLUMNS), and room for as many
  static void multiply(float[] left, int from, long panel, int length, float[] sums) {
    int size = ROWS * COLUMNS;
    for (int first = 0; first < length; first += SEGMENT) {
      int count = Math.min(SEGMENT, length - first);
      int to = first == 0 ? 0 : size;
      twelve(left, from + first * ROWS, panel + WIDTH * first, count, sums, to);
      if (first > 0) add(sums, size);
    }
  }

  /// Adds the sums of a segment, which follow them, to those of the segments before.
  static void add(float[] sums, int size) {
    for (int i = 0; i < size; i += LANES) {
      FloatVector.fromArray(FLOATS, sums, i)
          .add(FloatVector.fromArray(FLOATS, sums, size + i))
          .intoArray(sums, i);
    }
  }

  private static void twelve(float[] rows, int from, long panel, int length, float[] sums, int to) {
    var a0 = FloatVector.zero(FLOATS);
    var a1 = a0;
    var b0 = a0;
    var b1 = a0;
    var c0 = a0;
    var c1 = a0;
    var d0 = a0;
    var d1 = a0;
    var e0 = a0;
    var e1 = a0;
    var f0 = a0;
    var f1 = a0;
    var g0 = a0;
    var g1 = a0;
    var h0 = a0;
    var h1 = a0;
    var i0 = a0;
    var i1 = a0;
    var j0 = a0;
    var j1 = a0;
    var k0 = a0;
    var k1 = a0;
    var l0 = a0;
    var l1 = a0;
    for (int number = 0; number < length; number++) {
      long at = panel + WIDTH * number;
      int place = from + ROWS * number;
      var left = FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER);
      var right = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + NEXT, ORDER);
      var a = FloatVector.broadcast(FLOATS, rows[place]);
      a0 = left.fma(a, a0);
      a1 = right.fma(a, a1);
      var b = FloatVector.broadcast(FLOATS, rows[place + 1]);
      b0 = left.fma(b, b0);
      b1 = right.fma(b, b1);
      var c = FloatVector.broadcast(FLOATS, rows[place + 2]);
      c0 = left.fma(c, c0);
      c1 = right.fma(c, c1);
      var d = FloatVector.broadcast(FLOATS, rows[place + 3]);
      d0 = left.fma(d, d0);
      d1 = right.fma(d, d1);
      var e = FloatVector.broadcast(FLOATS, rows[place + 4]);
      e0 = left.fma(e, e0);
      e1 = right.fma(e, e1);
      var f = FloatVector.broadcast(FLOATS, rows[place + 5]);
      f0 = left.fma(f, f0);
      f1 = right.fma(f, f1);
      var g = FloatVector.broadcast(FLOATS, rows[place + 6]);
      g0 = left.fma(g, g0);
      g1 = right.fma(g, g1);
      var h = FloatVector.broadcast(FLOATS, rows[place + 7]);
      h0 = left.fma(h, h0);
      h1 = right.fma(h, h1);
      var i = FloatVector.broadcast(FLOATS, rows[place + 8]);
      i0 = left.fma(i, i0);
      i1 = right.fma(i, i1);
      var j = FloatVector.broadcast(FLOATS, rows[place + 9]);
      j0 = left.fma(j, j0);
      j1 = right.fma(j, j1);
      var k = FloatVector.broadcast(FLOATS, rows[place + 10]);
      k0 = left.fma(k, k0);
      k1 = right.fma(k, k1);
      var l = FloatVector.broadcast(FLOATS, rows[place + 11]);
      l0 = left.fma(l, l0);
      l1 = right.fma(l, l1);
    }
    a0.intoArray(sums, to);
    a1.intoArray(sums, to + LANES);
    b0.intoArray(sums, to + 2 * LANES);
    b1.intoArray(sums, to + 3 * LANES);
    c0.intoArray(sums, to + 4 * LANES);
    c1.intoArray(sums, to + 5 * LANES);
    d0.intoArray(sums, to + 6 * LANES);
    d1.intoArray(sums, to + 7 * LANES);
    e0.intoArray(sums, to + 8 * LANES);
    e1.intoArray(sums, to + 9 * LANES);
    f0.intoArray(sums, to + 10 * LANES);
    f1.intoArray(sums, to + 11 * LANES);
    g0.intoArray(sums, to + 12 * LANES);
    g1.intoArray(sums, to + 13 * LANES);
    h0.intoArray(sums, to + 14 * LANES);
    h1.intoArray(sums, to + 15 * LANES);
    i0.intoArray(sums, to + 16 * LANES);
    i1.intoArray(sums, to + 17 * LANES);
    j0.intoArray(sums, to + 18 * LANES);
    j1.intoArray(sums, to + 19 * LANES);
    k0.intoArray(sums, to + 20 * LANES);
    k1.intoArray(sums, to + 21 * LANES);
    l0.intoArray(sums, to + 22 * LANES);
    l1.intoArray(sums, to + 23 * LANES);
  }
}
