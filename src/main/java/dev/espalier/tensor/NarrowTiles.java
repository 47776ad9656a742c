package dev.espalier.tensor;

import static dev.espalier.tensor.Lanes.PANEL;
import static dev.espalier.tensor.Lanes.ROW;
import static dev.espalier.tensor.Numbers.FLOATS;
import static dev.espalier.tensor.Numbers.LANES;
import static dev.espalier.tensor.Numbers.MEMORY;
import static dev.espalier.tensor.Numbers.ORDER;

import jdk.incubator.vector.FloatVector;

/// What [LaneTiles] does, with eight sums in registers at a time: a processor with registers of
/// eight numbers has sixteen of them, of which C2 needs more than the sums and what they are made
/// of.
final class NarrowTiles {
  private static final int FEW = 4; // rows at a time
  private static final long HALF = ROW / 2;

  private NarrowTiles() {}

  /// As [LaneTiles#down].
  static void down(float[] rows, int from, long panel, int length, long start, long to) {
    fourDown(rows, from, panel, length, start, to);
    long next = start == 0 ? 0 : start + FEW * ROW;
    fourDown(rows, from + FEW, panel, length, next, to + FEW * ROW);
  }

  /// As [LaneTiles#across].
  static void across(float[] rows, int from, long panel, int length, long start, long to) {
    fourAcross(rows, from, panel, length, start, to);
    long next = start == 0 ? 0 : start + FEW * ROW;
    fourAcross(rows, from + FEW * PANEL, panel, length, next, to + FEW * ROW);
  }

  /// As [LaneTiles#dots].
  static void dots(
      long one, long oneApart, long other, long otherApart, int panels, float[] partial) {
    dots(one, oneApart, other, otherApart, panels, partial, 0);
    dots(one, oneApart, other + 2 * ROW, otherApart, panels, partial, 2 * LANES);
  }

  private static void fourDown(
      float[] rows, int from, long panel, int length, long start, long to) {
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
    }
    a0.intoMemorySegment(MEMORY, to, ORDER);
    a1.intoMemorySegment(MEMORY, to + HALF, ORDER);
    b0.intoMemorySegment(MEMORY, to + 2 * HALF, ORDER);
    b1.intoMemorySegment(MEMORY, to + 3 * HALF, ORDER);
    c0.intoMemorySegment(MEMORY, to + 4 * HALF, ORDER);
    c1.intoMemorySegment(MEMORY, to + 5 * HALF, ORDER);
    d0.intoMemorySegment(MEMORY, to + 6 * HALF, ORDER);
    d1.intoMemorySegment(MEMORY, to + 7 * HALF, ORDER);
  }

  private static void fourAcross(
      float[] rows, int from, long panel, int length, long start, long to) {
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
    }
    a0.intoMemorySegment(MEMORY, to, ORDER);
    a1.intoMemorySegment(MEMORY, to + HALF, ORDER);
    b0.intoMemorySegment(MEMORY, to + 2 * HALF, ORDER);
    b1.intoMemorySegment(MEMORY, to + 3 * HALF, ORDER);
    c0.intoMemorySegment(MEMORY, to + 4 * HALF, ORDER);
    c1.intoMemorySegment(MEMORY, to + 5 * HALF, ORDER);
    d0.intoMemorySegment(MEMORY, to + 6 * HALF, ORDER);
    d1.intoMemorySegment(MEMORY, to + 7 * HALF, ORDER);
  }

  private static void dots(
      long one,
      long oneApart,
      long other,
      long otherApart,
      int panels,
      float[] partial,
      int place) {
    var s00 = FloatVector.zero(FLOATS);
    var s01 = FloatVector.zero(FLOATS);
    var s10 = FloatVector.zero(FLOATS);
    var s11 = FloatVector.zero(FLOATS);
    var s20 = FloatVector.zero(FLOATS);
    var s21 = FloatVector.zero(FLOATS);
    var s30 = FloatVector.zero(FLOATS);
    var s31 = FloatVector.zero(FLOATS);
    for (int half = 0; half < 2 * panels; half++) {
      long skipped = HALF * (half & 1);
      long left = one + oneApart * (half >> 1) + skipped;
      long right = other + otherApart * (half >> 1) + skipped;
      var r0 = FloatVector.fromMemorySegment(FLOATS, MEMORY, right, ORDER);
      var r1 = FloatVector.fromMemorySegment(FLOATS, MEMORY, right + ROW, ORDER);
      var l0 = FloatVector.fromMemorySegment(FLOATS, MEMORY, left, ORDER);
      s00 = l0.fma(r0, s00);
      s01 = l0.fma(r1, s01);
      var l1 = FloatVector.fromMemorySegment(FLOATS, MEMORY, left + ROW, ORDER);
      s10 = l1.fma(r0, s10);
      s11 = l1.fma(r1, s11);
      var l2 = FloatVector.fromMemorySegment(FLOATS, MEMORY, left + 2 * ROW, ORDER);
      s20 = l2.fma(r0, s20);
      s21 = l2.fma(r1, s21);
      var l3 = FloatVector.fromMemorySegment(FLOATS, MEMORY, left + 3 * ROW, ORDER);
      s30 = l3.fma(r0, s30);
      s31 = l3.fma(r1, s31);
    }
    s00.intoArray(partial, place);
    s01.intoArray(partial, place + LANES);
    s10.intoArray(partial, place + 4 * LANES);
    s11.intoArray(partial, place + 5 * LANES);
    s20.intoArray(partial, place + 8 * LANES);
    s21.intoArray(partial, place + 9 * LANES);
    s30.intoArray(partial, place + 12 * LANES);
    s31.intoArray(partial, place + 13 * LANES);
  }
}
