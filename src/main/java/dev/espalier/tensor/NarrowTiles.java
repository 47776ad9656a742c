package dev.espalier.tensor;

import static dev.espalier.tensor.Lanes.PANEL;
import static dev.espalier.tensor.Lanes.ROW;
import static dev.espalier.tensor.Numbers.FLOATS;
import static dev.espalier.tensor.Numbers.LANES;
import static dev.espalier.tensor.Numbers.MEMORY;
import static dev.espalier.tensor.Numbers.ORDER;

import java.lang.invoke.VarHandle;
import jdk.incubator.vector.FloatVector;

/// What [LaneTiles] does, with eight sums in registers at a time: a processor with registers of
/// eight numbers has sixteen of them, of which C2 needs more than the sums and what they are made
/// of.
///
/// C2 loads what several rows are multiplied with before it multiplies any of them, and then has no
/// registers for the sums. It loads nothing before a fence that stands after it, and a fence of
/// loads is no instruction on this processor; so there is one between two rows, and several turns
/// can be written out, which share the counting and the addresses.
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
      long one,
      long oneApart,
      long other,
      long otherApart,
      int panels,
      float[] partial,
      int place) {
    twoDots(one, oneApart, other, otherApart, panels, partial, place);
    long next = other + 2 * ROW;
    twoDots(one, oneApart, next, otherApart, panels, partial, place + 2 * LANES);
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
    long base = panel - (long) Float.BYTES * from;
    int end = from + length * PANEL;
    int place = from;
    for (; place <= end - 4 * PANEL; place += 4 * PANEL) {
      long at = base + (long) Float.BYTES * place;
      {
        var left = FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER);
        var right = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + HALF, ORDER);
        var a = FloatVector.broadcast(FLOATS, rows[place]);
        a0 = left.fma(a, a0);
        a1 = right.fma(a, a1);
        VarHandle.acquireFence();
        var b = FloatVector.broadcast(FLOATS, rows[place + 1]);
        b0 = left.fma(b, b0);
        b1 = right.fma(b, b1);
        VarHandle.acquireFence();
        var c = FloatVector.broadcast(FLOATS, rows[place + 2]);
        c0 = left.fma(c, c0);
        c1 = right.fma(c, c1);
        VarHandle.acquireFence();
        var d = FloatVector.broadcast(FLOATS, rows[place + 3]);
        d0 = left.fma(d, d0);
        d1 = right.fma(d, d1);
      }
      VarHandle.acquireFence();
      {
        var left = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + ROW, ORDER);
        var right = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + ROW + HALF, ORDER);
        var a = FloatVector.broadcast(FLOATS, rows[place + PANEL]);
        a0 = left.fma(a, a0);
        a1 = right.fma(a, a1);
        VarHandle.acquireFence();
        var b = FloatVector.broadcast(FLOATS, rows[place + PANEL + 1]);
        b0 = left.fma(b, b0);
        b1 = right.fma(b, b1);
        VarHandle.acquireFence();
        var c = FloatVector.broadcast(FLOATS, rows[place + PANEL + 2]);
        c0 = left.fma(c, c0);
        c1 = right.fma(c, c1);
        VarHandle.acquireFence();
        var d = FloatVector.broadcast(FLOATS, rows[place + PANEL + 3]);
        d0 = left.fma(d, d0);
        d1 = right.fma(d, d1);
      }
      VarHandle.acquireFence();
      {
        var left = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + 2 * ROW, ORDER);
        var right = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + 2 * ROW + HALF, ORDER);
        var a = FloatVector.broadcast(FLOATS, rows[place + 2 * PANEL]);
        a0 = left.fma(a, a0);
        a1 = right.fma(a, a1);
        VarHandle.acquireFence();
        var b = FloatVector.broadcast(FLOATS, rows[place + 2 * PANEL + 1]);
        b0 = left.fma(b, b0);
        b1 = right.fma(b, b1);
        VarHandle.acquireFence();
        var c = FloatVector.broadcast(FLOATS, rows[place + 2 * PANEL + 2]);
        c0 = left.fma(c, c0);
        c1 = right.fma(c, c1);
        VarHandle.acquireFence();
        var d = FloatVector.broadcast(FLOATS, rows[place + 2 * PANEL + 3]);
        d0 = left.fma(d, d0);
        d1 = right.fma(d, d1);
      }
      VarHandle.acquireFence();
      {
        var left = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + 3 * ROW, ORDER);
        var right = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + 3 * ROW + HALF, ORDER);
        var a = FloatVector.broadcast(FLOATS, rows[place + 3 * PANEL]);
        a0 = left.fma(a, a0);
        a1 = right.fma(a, a1);
        VarHandle.acquireFence();
        var b = FloatVector.broadcast(FLOATS, rows[place + 3 * PANEL + 1]);
        b0 = left.fma(b, b0);
        b1 = right.fma(b, b1);
        VarHandle.acquireFence();
        var c = FloatVector.broadcast(FLOATS, rows[place + 3 * PANEL + 2]);
        c0 = left.fma(c, c0);
        c1 = right.fma(c, c1);
        VarHandle.acquireFence();
        var d = FloatVector.broadcast(FLOATS, rows[place + 3 * PANEL + 3]);
        d0 = left.fma(d, d0);
        d1 = right.fma(d, d1);
      }
    }
    for (; place < end; place += PANEL) {
      long at = base + (long) Float.BYTES * place;
      var left = FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER);
      var right = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + HALF, ORDER);
      var a = FloatVector.broadcast(FLOATS, rows[place]);
      a0 = left.fma(a, a0);
      a1 = right.fma(a, a1);
      VarHandle.acquireFence();
      var b = FloatVector.broadcast(FLOATS, rows[place + 1]);
      b0 = left.fma(b, b0);
      b1 = right.fma(b, b1);
      VarHandle.acquireFence();
      var c = FloatVector.broadcast(FLOATS, rows[place + 2]);
      c0 = left.fma(c, c0);
      c1 = right.fma(c, c1);
      VarHandle.acquireFence();
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
    int n = 0;
    for (; n <= length - 2; n += 2) {
      long at = panel + ROW * n;
      int place = from + n;
      {
        var left = FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER);
        var right = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + HALF, ORDER);
        var a = FloatVector.broadcast(FLOATS, rows[place]);
        a0 = left.fma(a, a0);
        a1 = right.fma(a, a1);
        VarHandle.acquireFence();
        var b = FloatVector.broadcast(FLOATS, rows[place + PANEL]);
        b0 = left.fma(b, b0);
        b1 = right.fma(b, b1);
        VarHandle.acquireFence();
        var c = FloatVector.broadcast(FLOATS, rows[place + 2 * PANEL]);
        c0 = left.fma(c, c0);
        c1 = right.fma(c, c1);
        VarHandle.acquireFence();
        var d = FloatVector.broadcast(FLOATS, rows[place + 3 * PANEL]);
        d0 = left.fma(d, d0);
        d1 = right.fma(d, d1);
      }
      VarHandle.acquireFence();
      {
        var left = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + ROW, ORDER);
        var right = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + ROW + HALF, ORDER);
        var a = FloatVector.broadcast(FLOATS, rows[place + 1]);
        a0 = left.fma(a, a0);
        a1 = right.fma(a, a1);
        VarHandle.acquireFence();
        var b = FloatVector.broadcast(FLOATS, rows[place + 1 + PANEL]);
        b0 = left.fma(b, b0);
        b1 = right.fma(b, b1);
        VarHandle.acquireFence();
        var c = FloatVector.broadcast(FLOATS, rows[place + 1 + 2 * PANEL]);
        c0 = left.fma(c, c0);
        c1 = right.fma(c, c1);
        VarHandle.acquireFence();
        var d = FloatVector.broadcast(FLOATS, rows[place + 1 + 3 * PANEL]);
        d0 = left.fma(d, d0);
        d1 = right.fma(d, d1);
      }
    }
    for (; n < length; n++) {
      long at = panel + ROW * n;
      int place = from + n;
      var left = FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER);
      var right = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + HALF, ORDER);
      var a = FloatVector.broadcast(FLOATS, rows[place]);
      a0 = left.fma(a, a0);
      a1 = right.fma(a, a1);
      VarHandle.acquireFence();
      var b = FloatVector.broadcast(FLOATS, rows[place + PANEL]);
      b0 = left.fma(b, b0);
      b1 = right.fma(b, b1);
      VarHandle.acquireFence();
      var c = FloatVector.broadcast(FLOATS, rows[place + 2 * PANEL]);
      c0 = left.fma(c, c0);
      c1 = right.fma(c, c1);
      VarHandle.acquireFence();
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

  private static void twoDots(
      long one,
      long oneApart,
      long other,
      long otherApart,
      int panels,
      float[] partial,
      int place) {
    var s00 = FloatVector.fromArray(FLOATS, partial, place);
    var s01 = FloatVector.fromArray(FLOATS, partial, place + LANES);
    var s10 = FloatVector.fromArray(FLOATS, partial, place + 4 * LANES);
    var s11 = FloatVector.fromArray(FLOATS, partial, place + 5 * LANES);
    var s20 = FloatVector.fromArray(FLOATS, partial, place + 8 * LANES);
    var s21 = FloatVector.fromArray(FLOATS, partial, place + 9 * LANES);
    var s30 = FloatVector.fromArray(FLOATS, partial, place + 12 * LANES);
    var s31 = FloatVector.fromArray(FLOATS, partial, place + 13 * LANES);
    for (int panel = 0; panel < panels; panel++) {
      long left = one + oneApart * panel;
      long right = other + otherApart * panel;
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
      VarHandle.acquireFence();
      var r0Next = FloatVector.fromMemorySegment(FLOATS, MEMORY, right + HALF, ORDER);
      var r1Next = FloatVector.fromMemorySegment(FLOATS, MEMORY, right + HALF + ROW, ORDER);
      var l0Next = FloatVector.fromMemorySegment(FLOATS, MEMORY, left + HALF, ORDER);
      s00 = l0Next.fma(r0Next, s00);
      s01 = l0Next.fma(r1Next, s01);
      var l1Next = FloatVector.fromMemorySegment(FLOATS, MEMORY, left + HALF + ROW, ORDER);
      s10 = l1Next.fma(r0Next, s10);
      s11 = l1Next.fma(r1Next, s11);
      var l2Next = FloatVector.fromMemorySegment(FLOATS, MEMORY, left + HALF + 2 * ROW, ORDER);
      s20 = l2Next.fma(r0Next, s20);
      s21 = l2Next.fma(r1Next, s21);
      var l3Next = FloatVector.fromMemorySegment(FLOATS, MEMORY, left + HALF + 3 * ROW, ORDER);
      s30 = l3Next.fma(r0Next, s30);
      s31 = l3Next.fma(r1Next, s31);
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
