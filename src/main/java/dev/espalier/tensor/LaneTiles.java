package dev.espalier.tensor;

import static dev.espalier.tensor.Lanes.PANEL;
import static dev.espalier.tensor.Lanes.ROW;
import static dev.espalier.tensor.Numbers.FLOATS;
import static dev.espalier.tensor.Numbers.LANES;
import static dev.espalier.tensor.Numbers.MEMORY;
import static dev.espalier.tensor.Numbers.ORDER;
import static dev.espalier.tensor.Numbers.WIDE;

import jdk.incubator.vector.FloatVector;

/// The innermost loops of products with tokens side by side: [#ROWS] rows times a panel, with each
/// sum in a register.
///
/// They are long because C2 keeps sums in registers that it sees by name. Sums start as zeros, or
/// as what lies at a place, and are added up in the order of the rows' numbers.
final class LaneTiles {
  /// Rows that are multiplied at once.
  static final int ROWS = 8;

  private static final long HALF = ROW / 2;

  private LaneTiles() {}

  /// Rows that lie side by side: their first numbers, then, [Lanes#PANEL] further, their second
  /// ones.
  ///
  /// @param from where the first row begins
  /// @param panel (length, PANEL)
  /// @param start (ROWS, PANEL), what is added to; 0 for zeros
  /// @param to (ROWS, PANEL), where the sums go
  static void down(float[] rows, int from, long panel, int length, long start, long to) {
    if (!WIDE) {
      NarrowTiles.down(rows, from, panel, length, start, to);
      return;
    }
    var a0 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start, ORDER);
    var a1 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + HALF, ORDER);
    var b0 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 2 * HALF, ORDER);
    var b1 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 3 * HALF, ORDER);
    var c0 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 4 * HALF, ORDER);
    var c1 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 5 * HALF, ORDER);
    var d0 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 6 * HALF, ORDER);
    var d1 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 7 * HALF, ORDER);
    var e0 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 8 * HALF, ORDER);
    var e1 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 9 * HALF, ORDER);
    var f0 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 10 * HALF, ORDER);
    var f1 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 11 * HALF, ORDER);
    var g0 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 12 * HALF, ORDER);
    var g1 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 13 * HALF, ORDER);
    var h0 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 14 * HALF, ORDER);
    var h1 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 15 * HALF, ORDER);
    for (int n = 0; n < length; n++) {
      long at = panel + ROW * n;
      int place = from + n * PANEL;
      var left = FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER);
      var right = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + HALF, ORDER);
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
    }
    a0.intoMemorySegment(MEMORY, to, ORDER);
    a1.intoMemorySegment(MEMORY, to + HALF, ORDER);
    b0.intoMemorySegment(MEMORY, to + 2 * HALF, ORDER);
    b1.intoMemorySegment(MEMORY, to + 3 * HALF, ORDER);
    c0.intoMemorySegment(MEMORY, to + 4 * HALF, ORDER);
    c1.intoMemorySegment(MEMORY, to + 5 * HALF, ORDER);
    d0.intoMemorySegment(MEMORY, to + 6 * HALF, ORDER);
    d1.intoMemorySegment(MEMORY, to + 7 * HALF, ORDER);
    e0.intoMemorySegment(MEMORY, to + 8 * HALF, ORDER);
    e1.intoMemorySegment(MEMORY, to + 9 * HALF, ORDER);
    f0.intoMemorySegment(MEMORY, to + 10 * HALF, ORDER);
    f1.intoMemorySegment(MEMORY, to + 11 * HALF, ORDER);
    g0.intoMemorySegment(MEMORY, to + 12 * HALF, ORDER);
    g1.intoMemorySegment(MEMORY, to + 13 * HALF, ORDER);
    h0.intoMemorySegment(MEMORY, to + 14 * HALF, ORDER);
    h1.intoMemorySegment(MEMORY, to + 15 * HALF, ORDER);
  }

  /// Rows that begin [Lanes#PANEL] numbers apart.
  ///
  /// @param from where the first row begins
  /// @param panel (length, PANEL)
  /// @param start (ROWS, PANEL), what is added to; 0 for zeros
  /// @param to (ROWS, PANEL), where the sums go
  static void across(float[] rows, int from, long panel, int length, long start, long to) {
    if (!WIDE) {
      NarrowTiles.across(rows, from, panel, length, start, to);
      return;
    }
    var a0 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start, ORDER);
    var a1 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + HALF, ORDER);
    var b0 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 2 * HALF, ORDER);
    var b1 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 3 * HALF, ORDER);
    var c0 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 4 * HALF, ORDER);
    var c1 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 5 * HALF, ORDER);
    var d0 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 6 * HALF, ORDER);
    var d1 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 7 * HALF, ORDER);
    var e0 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 8 * HALF, ORDER);
    var e1 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 9 * HALF, ORDER);
    var f0 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 10 * HALF, ORDER);
    var f1 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 11 * HALF, ORDER);
    var g0 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 12 * HALF, ORDER);
    var g1 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 13 * HALF, ORDER);
    var h0 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 14 * HALF, ORDER);
    var h1 =
        start == 0
            ? FloatVector.zero(FLOATS)
            : FloatVector.fromMemorySegment(FLOATS, MEMORY, start + 15 * HALF, ORDER);
    for (int n = 0; n < length; n++) {
      long at = panel + ROW * n;
      int place = from + n;
      var left = FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER);
      var right = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + HALF, ORDER);
      var a = FloatVector.broadcast(FLOATS, rows[place]);
      a0 = left.fma(a, a0);
      a1 = right.fma(a, a1);
      var b = FloatVector.broadcast(FLOATS, rows[place + PANEL]);
      b0 = left.fma(b, b0);
      b1 = right.fma(b, b1);
      var c = FloatVector.broadcast(FLOATS, rows[place + 2 * PANEL]);
      c0 = left.fma(c, c0);
      c1 = right.fma(c, c1);
      var d = FloatVector.broadcast(FLOATS, rows[place + 3 * PANEL]);
      d0 = left.fma(d, d0);
      d1 = right.fma(d, d1);
      var e = FloatVector.broadcast(FLOATS, rows[place + 4 * PANEL]);
      e0 = left.fma(e, e0);
      e1 = right.fma(e, e1);
      var f = FloatVector.broadcast(FLOATS, rows[place + 5 * PANEL]);
      f0 = left.fma(f, f0);
      f1 = right.fma(f, f1);
      var g = FloatVector.broadcast(FLOATS, rows[place + 6 * PANEL]);
      g0 = left.fma(g, g0);
      g1 = right.fma(g, g1);
      var h = FloatVector.broadcast(FLOATS, rows[place + 7 * PANEL]);
      h0 = left.fma(h, h0);
      h1 = right.fma(h, h1);
    }
    a0.intoMemorySegment(MEMORY, to, ORDER);
    a1.intoMemorySegment(MEMORY, to + HALF, ORDER);
    b0.intoMemorySegment(MEMORY, to + 2 * HALF, ORDER);
    b1.intoMemorySegment(MEMORY, to + 3 * HALF, ORDER);
    c0.intoMemorySegment(MEMORY, to + 4 * HALF, ORDER);
    c1.intoMemorySegment(MEMORY, to + 5 * HALF, ORDER);
    d0.intoMemorySegment(MEMORY, to + 6 * HALF, ORDER);
    d1.intoMemorySegment(MEMORY, to + 7 * HALF, ORDER);
    e0.intoMemorySegment(MEMORY, to + 8 * HALF, ORDER);
    e1.intoMemorySegment(MEMORY, to + 9 * HALF, ORDER);
    f0.intoMemorySegment(MEMORY, to + 10 * HALF, ORDER);
    f1.intoMemorySegment(MEMORY, to + 11 * HALF, ORDER);
    g0.intoMemorySegment(MEMORY, to + 12 * HALF, ORDER);
    g1.intoMemorySegment(MEMORY, to + 13 * HALF, ORDER);
    h0.intoMemorySegment(MEMORY, to + 14 * HALF, ORDER);
    h1.intoMemorySegment(MEMORY, to + 15 * HALF, ORDER);
  }

  /// Adds products of four features with four others to registers of partial sums, over tokens.
  ///
  /// @param one where the first of four features lies
  /// @param other likewise
  /// @param oneApart bytes from a panel of the one to the next
  /// @param otherApart likewise
  /// @param partial (4, 4, LANES), from that place on
  static void dots(
      long one,
      long oneApart,
      long other,
      long otherApart,
      int panels,
      float[] partial,
      int place) {
    if (!WIDE) {
      NarrowTiles.dots(one, oneApart, other, otherApart, panels, partial, place);
      return;
    }
    var s00 = FloatVector.fromArray(FLOATS, partial, place);
    var s01 = FloatVector.fromArray(FLOATS, partial, place + LANES);
    var s02 = FloatVector.fromArray(FLOATS, partial, place + 2 * LANES);
    var s03 = FloatVector.fromArray(FLOATS, partial, place + 3 * LANES);
    var s10 = FloatVector.fromArray(FLOATS, partial, place + 4 * LANES);
    var s11 = FloatVector.fromArray(FLOATS, partial, place + 5 * LANES);
    var s12 = FloatVector.fromArray(FLOATS, partial, place + 6 * LANES);
    var s13 = FloatVector.fromArray(FLOATS, partial, place + 7 * LANES);
    var s20 = FloatVector.fromArray(FLOATS, partial, place + 8 * LANES);
    var s21 = FloatVector.fromArray(FLOATS, partial, place + 9 * LANES);
    var s22 = FloatVector.fromArray(FLOATS, partial, place + 10 * LANES);
    var s23 = FloatVector.fromArray(FLOATS, partial, place + 11 * LANES);
    var s30 = FloatVector.fromArray(FLOATS, partial, place + 12 * LANES);
    var s31 = FloatVector.fromArray(FLOATS, partial, place + 13 * LANES);
    var s32 = FloatVector.fromArray(FLOATS, partial, place + 14 * LANES);
    var s33 = FloatVector.fromArray(FLOATS, partial, place + 15 * LANES);
    for (int half = 0; half < 2 * panels; half++) {
      long skipped = HALF * (half & 1);
      long left = one + oneApart * (half >> 1) + skipped;
      long right = other + otherApart * (half >> 1) + skipped;
      var r0 = FloatVector.fromMemorySegment(FLOATS, MEMORY, right, ORDER);
      var r1 = FloatVector.fromMemorySegment(FLOATS, MEMORY, right + ROW, ORDER);
      var r2 = FloatVector.fromMemorySegment(FLOATS, MEMORY, right + 2 * ROW, ORDER);
      var r3 = FloatVector.fromMemorySegment(FLOATS, MEMORY, right + 3 * ROW, ORDER);
      var l0 = FloatVector.fromMemorySegment(FLOATS, MEMORY, left, ORDER);
      s00 = l0.fma(r0, s00);
      s01 = l0.fma(r1, s01);
      s02 = l0.fma(r2, s02);
      s03 = l0.fma(r3, s03);
      var l1 = FloatVector.fromMemorySegment(FLOATS, MEMORY, left + ROW, ORDER);
      s10 = l1.fma(r0, s10);
      s11 = l1.fma(r1, s11);
      s12 = l1.fma(r2, s12);
      s13 = l1.fma(r3, s13);
      var l2 = FloatVector.fromMemorySegment(FLOATS, MEMORY, left + 2 * ROW, ORDER);
      s20 = l2.fma(r0, s20);
      s21 = l2.fma(r1, s21);
      s22 = l2.fma(r2, s22);
      s23 = l2.fma(r3, s23);
      var l3 = FloatVector.fromMemorySegment(FLOATS, MEMORY, left + 3 * ROW, ORDER);
      s30 = l3.fma(r0, s30);
      s31 = l3.fma(r1, s31);
      s32 = l3.fma(r2, s32);
      s33 = l3.fma(r3, s33);
    }
    s00.intoArray(partial, place);
    s01.intoArray(partial, place + LANES);
    s02.intoArray(partial, place + 2 * LANES);
    s03.intoArray(partial, place + 3 * LANES);
    s10.intoArray(partial, place + 4 * LANES);
    s11.intoArray(partial, place + 5 * LANES);
    s12.intoArray(partial, place + 6 * LANES);
    s13.intoArray(partial, place + 7 * LANES);
    s20.intoArray(partial, place + 8 * LANES);
    s21.intoArray(partial, place + 9 * LANES);
    s22.intoArray(partial, place + 10 * LANES);
    s23.intoArray(partial, place + 11 * LANES);
    s30.intoArray(partial, place + 12 * LANES);
    s31.intoArray(partial, place + 13 * LANES);
    s32.intoArray(partial, place + 14 * LANES);
    s33.intoArray(partial, place + 15 * LANES);
  }
}
