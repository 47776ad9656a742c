package dev.espalier.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import jdk.incubator.vector.FloatVector;

final class Float32 extends Numbers {
  static final Float32 NUMBERS = new Float32();

  private static final int STEP = LANES;
  private static final long NEXT = 4L * LANES; // bytes

  private Float32() {}

  @Override
  int bytes() {
    return Float.BYTES;
  }

  @Override
  float get(long at) {
    return MEMORY.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
  }

  @Override
  void set(long at, float number) {
    MEMORY.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, number);
  }

  @Override
  void read(long from, float[] to, int place, int count) {
    MemorySegment.copy(MEMORY, ValueLayout.JAVA_FLOAT_UNALIGNED, from, to, place, count);
  }

  @Override
  void write(float[] from, long to, int count) {
    MemorySegment.copy(from, 0, MEMORY, ValueLayout.JAVA_FLOAT_UNALIGNED, to, count);
  }

  @Override
  void round(float[] numbers) {
    // they are of this type
  }

  @Override
  void dots(long rows, long apart, long vector, int length, float[] partial, int place) {
    var a = FloatVector.zero(FLOATS);
    var b = a;
    var c = a;
    var d = a;
    for (int i = 0; i <= length - STEP; i += STEP) {
      long at = rows + 4L * i;
      var one = FloatVector.fromMemorySegment(FLOATS, MEMORY, vector + 4L * i, ORDER);
      a = FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER).fma(one, a);
      b = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + apart, ORDER).fma(one, b);
      c = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + 2 * apart, ORDER).fma(one, c);
      d = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + 3 * apart, ORDER).fma(one, d);
    }
    a.intoArray(partial, place);
    b.intoArray(partial, place + ROWS * LANES);
    c.intoArray(partial, place + 2 * ROWS * LANES);
    d.intoArray(partial, place + 3 * ROWS * LANES);
  }

  @Override
  void dotsTogether(long rows, long apart, long[] vectors, int length, float[] partial) {
    var a0 = FloatVector.zero(FLOATS);
    var a1 = a0;
    var a2 = a0;
    var a3 = a0;
    var b0 = a0;
    var b1 = a0;
    var b2 = a0;
    var b3 = a0;
    var c0 = a0;
    var c1 = a0;
    var c2 = a0;
    var c3 = a0;
    var d0 = a0;
    var d1 = a0;
    var d2 = a0;
    var d3 = a0;
    long v0 = vectors[0];
    long v1 = vectors[1];
    long v2 = vectors[2];
    long v3 = vectors[3];
    for (int i = 0; i <= length - STEP; i += STEP) {
      long skipped = 4L * i;
      long at = rows + skipped;
      var x0 = FloatVector.fromMemorySegment(FLOATS, MEMORY, v0 + skipped, ORDER);
      var x1 = FloatVector.fromMemorySegment(FLOATS, MEMORY, v1 + skipped, ORDER);
      var x2 = FloatVector.fromMemorySegment(FLOATS, MEMORY, v2 + skipped, ORDER);
      var x3 = FloatVector.fromMemorySegment(FLOATS, MEMORY, v3 + skipped, ORDER);
      var a = FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER);
      a0 = a.fma(x0, a0);
      a1 = a.fma(x1, a1);
      a2 = a.fma(x2, a2);
      a3 = a.fma(x3, a3);
      var b = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + apart, ORDER);
      b0 = b.fma(x0, b0);
      b1 = b.fma(x1, b1);
      b2 = b.fma(x2, b2);
      b3 = b.fma(x3, b3);
      var c = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + 2 * apart, ORDER);
      c0 = c.fma(x0, c0);
      c1 = c.fma(x1, c1);
      c2 = c.fma(x2, c2);
      c3 = c.fma(x3, c3);
      var d = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + 3 * apart, ORDER);
      d0 = d.fma(x0, d0);
      d1 = d.fma(x1, d1);
      d2 = d.fma(x2, d2);
      d3 = d.fma(x3, d3);
    }
    a0.intoArray(partial, 0);
    a1.intoArray(partial, LANES);
    a2.intoArray(partial, 2 * LANES);
    a3.intoArray(partial, 3 * LANES);
    b0.intoArray(partial, 4 * LANES);
    b1.intoArray(partial, 5 * LANES);
    b2.intoArray(partial, 6 * LANES);
    b3.intoArray(partial, 7 * LANES);
    c0.intoArray(partial, 8 * LANES);
    c1.intoArray(partial, 9 * LANES);
    c2.intoArray(partial, 10 * LANES);
    c3.intoArray(partial, 11 * LANES);
    d0.intoArray(partial, 12 * LANES);
    d1.intoArray(partial, 13 * LANES);
    d2.intoArray(partial, 14 * LANES);
    d3.intoArray(partial, 15 * LANES);
  }

  @Override
  void row(float[] row, int from, int count, long panels, long apart, float[] sums, int to) {
    var a0 = FloatVector.zero(FLOATS);
    var a1 = a0;
    var b0 = a0;
    var b1 = a0;
    var c0 = a0;
    var c1 = a0;
    var d0 = a0;
    var d1 = a0;
    for (int i = 0; i < count; i++) {
      long a = panels + Tiles.WIDTH * i;
      long b = a + apart;
      long c = b + apart;
      long d = c + apart;
      var x = FloatVector.broadcast(FLOATS, row[from + i]);
      a0 = FloatVector.fromMemorySegment(FLOATS, MEMORY, a, ORDER).fma(x, a0);
      a1 = FloatVector.fromMemorySegment(FLOATS, MEMORY, a + NEXT, ORDER).fma(x, a1);
      b0 = FloatVector.fromMemorySegment(FLOATS, MEMORY, b, ORDER).fma(x, b0);
      b1 = FloatVector.fromMemorySegment(FLOATS, MEMORY, b + NEXT, ORDER).fma(x, b1);
      c0 = FloatVector.fromMemorySegment(FLOATS, MEMORY, c, ORDER).fma(x, c0);
      c1 = FloatVector.fromMemorySegment(FLOATS, MEMORY, c + NEXT, ORDER).fma(x, c1);
      d0 = FloatVector.fromMemorySegment(FLOATS, MEMORY, d, ORDER).fma(x, d0);
      d1 = FloatVector.fromMemorySegment(FLOATS, MEMORY, d + NEXT, ORDER).fma(x, d1);
    }
    a0.intoArray(sums, to);
    a1.intoArray(sums, to + LANES);
    b0.intoArray(sums, to + 2 * LANES);
    b1.intoArray(sums, to + 3 * LANES);
    c0.intoArray(sums, to + 4 * LANES);
    c1.intoArray(sums, to + 5 * LANES);
    d0.intoArray(sums, to + 6 * LANES);
    d1.intoArray(sums, to + 7 * LANES);
  }

  /// One of the two panels of [#four]; the fences are those of [NarrowTiles].
  private static void narrow(float[] rows, int from, int count, long panel, float[] sums, int to) {
    var a0 = FloatVector.zero(FLOATS);
    var a1 = a0;
    var b0 = a0;
    var b1 = a0;
    var c0 = a0;
    var c1 = a0;
    var d0 = a0;
    var d1 = a0;
    int i = 0;
    for (; i <= count - 4; i += 4) {
      long at = panel + Tiles.WIDTH * i;
      int place = from + Tiles.FEW * i;
      {
        var w0 = FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER);
        var w1 = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + NEXT, ORDER);
        var a = FloatVector.broadcast(FLOATS, rows[place]);
        a0 = w0.fma(a, a0);
        a1 = w1.fma(a, a1);
        VarHandle.acquireFence();
        var b = FloatVector.broadcast(FLOATS, rows[place + 1]);
        b0 = w0.fma(b, b0);
        b1 = w1.fma(b, b1);
        VarHandle.acquireFence();
        var c = FloatVector.broadcast(FLOATS, rows[place + 2]);
        c0 = w0.fma(c, c0);
        c1 = w1.fma(c, c1);
        VarHandle.acquireFence();
        var d = FloatVector.broadcast(FLOATS, rows[place + 3]);
        d0 = w0.fma(d, d0);
        d1 = w1.fma(d, d1);
      }
      VarHandle.acquireFence();
      {
        var w0 = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + Tiles.WIDTH, ORDER);
        var w1 = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + Tiles.WIDTH + NEXT, ORDER);
        var a = FloatVector.broadcast(FLOATS, rows[place + Tiles.FEW]);
        a0 = w0.fma(a, a0);
        a1 = w1.fma(a, a1);
        VarHandle.acquireFence();
        var b = FloatVector.broadcast(FLOATS, rows[place + Tiles.FEW + 1]);
        b0 = w0.fma(b, b0);
        b1 = w1.fma(b, b1);
        VarHandle.acquireFence();
        var c = FloatVector.broadcast(FLOATS, rows[place + Tiles.FEW + 2]);
        c0 = w0.fma(c, c0);
        c1 = w1.fma(c, c1);
        VarHandle.acquireFence();
        var d = FloatVector.broadcast(FLOATS, rows[place + Tiles.FEW + 3]);
        d0 = w0.fma(d, d0);
        d1 = w1.fma(d, d1);
      }
      VarHandle.acquireFence();
      {
        var w0 = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + 2 * Tiles.WIDTH, ORDER);
        var w1 = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + 2 * Tiles.WIDTH + NEXT, ORDER);
        var a = FloatVector.broadcast(FLOATS, rows[place + 2 * Tiles.FEW]);
        a0 = w0.fma(a, a0);
        a1 = w1.fma(a, a1);
        VarHandle.acquireFence();
        var b = FloatVector.broadcast(FLOATS, rows[place + 2 * Tiles.FEW + 1]);
        b0 = w0.fma(b, b0);
        b1 = w1.fma(b, b1);
        VarHandle.acquireFence();
        var c = FloatVector.broadcast(FLOATS, rows[place + 2 * Tiles.FEW + 2]);
        c0 = w0.fma(c, c0);
        c1 = w1.fma(c, c1);
        VarHandle.acquireFence();
        var d = FloatVector.broadcast(FLOATS, rows[place + 2 * Tiles.FEW + 3]);
        d0 = w0.fma(d, d0);
        d1 = w1.fma(d, d1);
      }
      VarHandle.acquireFence();
      {
        var w0 = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + 3 * Tiles.WIDTH, ORDER);
        var w1 = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + 3 * Tiles.WIDTH + NEXT, ORDER);
        var a = FloatVector.broadcast(FLOATS, rows[place + 3 * Tiles.FEW]);
        a0 = w0.fma(a, a0);
        a1 = w1.fma(a, a1);
        VarHandle.acquireFence();
        var b = FloatVector.broadcast(FLOATS, rows[place + 3 * Tiles.FEW + 1]);
        b0 = w0.fma(b, b0);
        b1 = w1.fma(b, b1);
        VarHandle.acquireFence();
        var c = FloatVector.broadcast(FLOATS, rows[place + 3 * Tiles.FEW + 2]);
        c0 = w0.fma(c, c0);
        c1 = w1.fma(c, c1);
        VarHandle.acquireFence();
        var d = FloatVector.broadcast(FLOATS, rows[place + 3 * Tiles.FEW + 3]);
        d0 = w0.fma(d, d0);
        d1 = w1.fma(d, d1);
      }
    }
    for (; i < count; i++) {
      long at = panel + Tiles.WIDTH * i;
      int place = from + Tiles.FEW * i;
      var w0 = FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER);
      var w1 = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + NEXT, ORDER);
      var a = FloatVector.broadcast(FLOATS, rows[place]);
      a0 = w0.fma(a, a0);
      a1 = w1.fma(a, a1);
      VarHandle.acquireFence();
      var b = FloatVector.broadcast(FLOATS, rows[place + 1]);
      b0 = w0.fma(b, b0);
      b1 = w1.fma(b, b1);
      VarHandle.acquireFence();
      var c = FloatVector.broadcast(FLOATS, rows[place + 2]);
      c0 = w0.fma(c, c0);
      c1 = w1.fma(c, c1);
      VarHandle.acquireFence();
      var d = FloatVector.broadcast(FLOATS, rows[place + 3]);
      d0 = w0.fma(d, d0);
      d1 = w1.fma(d, d1);
    }
    a0.intoArray(sums, to);
    a1.intoArray(sums, to + LANES);
    b0.intoArray(sums, to + 4 * LANES);
    b1.intoArray(sums, to + 5 * LANES);
    c0.intoArray(sums, to + 8 * LANES);
    c1.intoArray(sums, to + 9 * LANES);
    d0.intoArray(sums, to + 12 * LANES);
    d1.intoArray(sums, to + 13 * LANES);
  }

  @Override
  void four(float[] rows, int from, int count, long panels, long apart, float[] sums, int to) {
    if (!WIDE) {
      narrow(rows, from, count, panels, sums, to);
      narrow(rows, from, count, panels + apart, sums, to + Tiles.COLUMNS);
      return;
    }
    var a0 = FloatVector.zero(FLOATS);
    var a1 = a0;
    var a2 = a0;
    var a3 = a0;
    var b0 = a0;
    var b1 = a0;
    var b2 = a0;
    var b3 = a0;
    var c0 = a0;
    var c1 = a0;
    var c2 = a0;
    var c3 = a0;
    var d0 = a0;
    var d1 = a0;
    var d2 = a0;
    var d3 = a0;
    for (int i = 0; i < count; i++) {
      long one = panels + Tiles.WIDTH * i;
      long other = one + apart;
      int place = from + Tiles.FEW * i;
      var w0 = FloatVector.fromMemorySegment(FLOATS, MEMORY, one, ORDER);
      var w1 = FloatVector.fromMemorySegment(FLOATS, MEMORY, one + NEXT, ORDER);
      var w2 = FloatVector.fromMemorySegment(FLOATS, MEMORY, other, ORDER);
      var w3 = FloatVector.fromMemorySegment(FLOATS, MEMORY, other + NEXT, ORDER);
      var a = FloatVector.broadcast(FLOATS, rows[place]);
      a0 = w0.fma(a, a0);
      a1 = w1.fma(a, a1);
      a2 = w2.fma(a, a2);
      a3 = w3.fma(a, a3);
      var b = FloatVector.broadcast(FLOATS, rows[place + 1]);
      b0 = w0.fma(b, b0);
      b1 = w1.fma(b, b1);
      b2 = w2.fma(b, b2);
      b3 = w3.fma(b, b3);
      var c = FloatVector.broadcast(FLOATS, rows[place + 2]);
      c0 = w0.fma(c, c0);
      c1 = w1.fma(c, c1);
      c2 = w2.fma(c, c2);
      c3 = w3.fma(c, c3);
      var d = FloatVector.broadcast(FLOATS, rows[place + 3]);
      d0 = w0.fma(d, d0);
      d1 = w1.fma(d, d1);
      d2 = w2.fma(d, d2);
      d3 = w3.fma(d, d3);
    }
    a0.intoArray(sums, to);
    a1.intoArray(sums, to + LANES);
    a2.intoArray(sums, to + 2 * LANES);
    a3.intoArray(sums, to + 3 * LANES);
    b0.intoArray(sums, to + 4 * LANES);
    b1.intoArray(sums, to + 5 * LANES);
    b2.intoArray(sums, to + 6 * LANES);
    b3.intoArray(sums, to + 7 * LANES);
    c0.intoArray(sums, to + 8 * LANES);
    c1.intoArray(sums, to + 9 * LANES);
    c2.intoArray(sums, to + 10 * LANES);
    c3.intoArray(sums, to + 11 * LANES);
    d0.intoArray(sums, to + 12 * LANES);
    d1.intoArray(sums, to + 13 * LANES);
    d2.intoArray(sums, to + 14 * LANES);
    d3.intoArray(sums, to + 15 * LANES);
  }

  @Override
  long wide(long panel, int length, long room) {
    return panel;
  }

  @Override
  void load(long from, float[] to, int place, int registers) {
    for (int i = 0; i < registers; i++) {
      FloatVector.fromMemorySegment(FLOATS, MEMORY, from + NEXT * i, ORDER)
          .intoArray(to, place + LANES * i);
    }
  }

  @Override
  void put(float[] sums, int from, int count, long to) {
    MemorySegment.copy(sums, from, MEMORY, ValueLayout.JAVA_FLOAT_UNALIGNED, to, count);
  }

  @Override
  void dot(long one, long other, int length, float[] partial, int place) {
    var a = FloatVector.zero(FLOATS);
    for (int i = 0; i <= length - STEP; i += STEP) {
      a =
          FloatVector.fromMemorySegment(FLOATS, MEMORY, one + 4L * i, ORDER)
              .fma(FloatVector.fromMemorySegment(FLOATS, MEMORY, other + 4L * i, ORDER), a);
    }
    a.intoArray(partial, place);
  }

  @Override
  int filled(int length) {
    return length / STEP * STEP;
  }

  @Override
  void add(long numbers, float[] sums, int from, int count) {
    int i = 0;
    for (; i <= count - STEP; i += STEP) {
      FloatVector.fromArray(FLOATS, sums, from + i)
          .add(FloatVector.fromMemorySegment(FLOATS, MEMORY, numbers + 4L * i, ORDER))
          .intoArray(sums, from + i);
    }
    for (; i < count; i++) sums[from + i] += get(numbers + 4L * i);
  }

  /// Adds numbers to others where they lie.
  void add(long numbers, int count, long sums) {
    int i = 0;
    for (; i <= count - STEP; i += STEP) {
      FloatVector.fromMemorySegment(FLOATS, MEMORY, sums + 4L * i, ORDER)
          .add(FloatVector.fromMemorySegment(FLOATS, MEMORY, numbers + 4L * i, ORDER))
          .intoMemorySegment(MEMORY, sums + 4L * i, ORDER);
    }
    for (; i < count; i++) set(sums + 4L * i, get(sums + 4L * i) + get(numbers + 4L * i));
  }

  @Override
  void putRows(long sum, int length, Stack... stacks) {
    int i = 0;
    for (; i <= length - 8 * STEP; i += 8 * STEP) putEight(sum, 4L * i, stacks);
    for (; i <= length - 2 * STEP; i += 2 * STEP) {
      long at = sum + 4L * i;
      var a = FloatVector.zero(FLOATS);
      var b = a;
      for (var stack : stacks) {
        long next = stack.first() + 4L * i;
        long apart = stack.apart();
        var factors = stack.factors();
        for (int r = stack.from(); r < stack.to(); r++, next += apart) {
          var factor = FloatVector.broadcast(FLOATS, factors[r]);
          a = FloatVector.fromMemorySegment(FLOATS, MEMORY, next, ORDER).fma(factor, a);
          b = FloatVector.fromMemorySegment(FLOATS, MEMORY, next + NEXT, ORDER).fma(factor, b);
        }
      }
      a.intoMemorySegment(MEMORY, at, ORDER);
      b.intoMemorySegment(MEMORY, at + NEXT, ORDER);
    }
    for (; i < length; i++) set(sum + 4L * i, sum(i, stacks));
  }

  @Override
  int putTogether(
      long[] sums, int length, long first, long apart, float[][] factors, int from, int to) {
    int i = 0;
    for (; i <= length - 4 * LANES; i += 4 * LANES) {
      put(sums, 4L * i, first, apart, factors, from, to);
    }
    return i;
  }

  /// Four registers of each vector's sums.
  ///
  /// @param skipped bytes of each vector and row
  private static void put(
      long[] sums, long skipped, long first, long apart, float[][] factors, int from, int to) {
    var aFactors = factors[0];
    var bFactors = factors[1];
    var cFactors = factors[2];
    var dFactors = factors[3];
    var a0 = FloatVector.zero(FLOATS);
    var a1 = a0;
    var a2 = a0;
    var a3 = a0;
    var b0 = a0;
    var b1 = a0;
    var b2 = a0;
    var b3 = a0;
    var c0 = a0;
    var c1 = a0;
    var c2 = a0;
    var c3 = a0;
    var d0 = a0;
    var d1 = a0;
    var d2 = a0;
    var d3 = a0;
    long next = first + skipped;
    for (int r = from; r < to; r++, next += apart) {
      var w0 = FloatVector.fromMemorySegment(FLOATS, MEMORY, next, ORDER);
      var w1 = FloatVector.fromMemorySegment(FLOATS, MEMORY, next + NEXT, ORDER);
      var w2 = FloatVector.fromMemorySegment(FLOATS, MEMORY, next + 2 * NEXT, ORDER);
      var w3 = FloatVector.fromMemorySegment(FLOATS, MEMORY, next + 3 * NEXT, ORDER);
      var aFactor = FloatVector.broadcast(FLOATS, aFactors[r]);
      a0 = w0.fma(aFactor, a0);
      a1 = w1.fma(aFactor, a1);
      a2 = w2.fma(aFactor, a2);
      a3 = w3.fma(aFactor, a3);
      var bFactor = FloatVector.broadcast(FLOATS, bFactors[r]);
      b0 = w0.fma(bFactor, b0);
      b1 = w1.fma(bFactor, b1);
      b2 = w2.fma(bFactor, b2);
      b3 = w3.fma(bFactor, b3);
      var cFactor = FloatVector.broadcast(FLOATS, cFactors[r]);
      c0 = w0.fma(cFactor, c0);
      c1 = w1.fma(cFactor, c1);
      c2 = w2.fma(cFactor, c2);
      c3 = w3.fma(cFactor, c3);
      var dFactor = FloatVector.broadcast(FLOATS, dFactors[r]);
      d0 = w0.fma(dFactor, d0);
      d1 = w1.fma(dFactor, d1);
      d2 = w2.fma(dFactor, d2);
      d3 = w3.fma(dFactor, d3);
    }
    long a = sums[0] + skipped;
    a0.intoMemorySegment(MEMORY, a, ORDER);
    a1.intoMemorySegment(MEMORY, a + NEXT, ORDER);
    a2.intoMemorySegment(MEMORY, a + 2 * NEXT, ORDER);
    a3.intoMemorySegment(MEMORY, a + 3 * NEXT, ORDER);
    long b = sums[1] + skipped;
    b0.intoMemorySegment(MEMORY, b, ORDER);
    b1.intoMemorySegment(MEMORY, b + NEXT, ORDER);
    b2.intoMemorySegment(MEMORY, b + 2 * NEXT, ORDER);
    b3.intoMemorySegment(MEMORY, b + 3 * NEXT, ORDER);
    long c = sums[2] + skipped;
    c0.intoMemorySegment(MEMORY, c, ORDER);
    c1.intoMemorySegment(MEMORY, c + NEXT, ORDER);
    c2.intoMemorySegment(MEMORY, c + 2 * NEXT, ORDER);
    c3.intoMemorySegment(MEMORY, c + 3 * NEXT, ORDER);
    long d = sums[3] + skipped;
    d0.intoMemorySegment(MEMORY, d, ORDER);
    d1.intoMemorySegment(MEMORY, d + NEXT, ORDER);
    d2.intoMemorySegment(MEMORY, d + 2 * NEXT, ORDER);
    d3.intoMemorySegment(MEMORY, d + 3 * NEXT, ORDER);
  }

  /// Eight registers at once: a sum waits for its last addition, and seven others fill the time.
  ///
  /// @param skipped bytes of the rows
  private static void putEight(long sum, long skipped, Stack... stacks) {
    long at = sum + skipped;
    var a = FloatVector.zero(FLOATS);
    var b = a;
    var c = a;
    var d = a;
    var e = a;
    var f = a;
    var g = a;
    var h = a;
    for (var stack : stacks) {
      long next = stack.first() + skipped;
      long apart = stack.apart();
      var factors = stack.factors();
      for (int r = stack.from(); r < stack.to(); r++, next += apart) {
        var factor = FloatVector.broadcast(FLOATS, factors[r]);
        a = FloatVector.fromMemorySegment(FLOATS, MEMORY, next, ORDER).fma(factor, a);
        b = FloatVector.fromMemorySegment(FLOATS, MEMORY, next + NEXT, ORDER).fma(factor, b);
        c = FloatVector.fromMemorySegment(FLOATS, MEMORY, next + 2 * NEXT, ORDER).fma(factor, c);
        d = FloatVector.fromMemorySegment(FLOATS, MEMORY, next + 3 * NEXT, ORDER).fma(factor, d);
        e = FloatVector.fromMemorySegment(FLOATS, MEMORY, next + 4 * NEXT, ORDER).fma(factor, e);
        f = FloatVector.fromMemorySegment(FLOATS, MEMORY, next + 5 * NEXT, ORDER).fma(factor, f);
        g = FloatVector.fromMemorySegment(FLOATS, MEMORY, next + 6 * NEXT, ORDER).fma(factor, g);
        h = FloatVector.fromMemorySegment(FLOATS, MEMORY, next + 7 * NEXT, ORDER).fma(factor, h);
      }
    }
    a.intoMemorySegment(MEMORY, at, ORDER);
    b.intoMemorySegment(MEMORY, at + NEXT, ORDER);
    c.intoMemorySegment(MEMORY, at + 2 * NEXT, ORDER);
    d.intoMemorySegment(MEMORY, at + 3 * NEXT, ORDER);
    e.intoMemorySegment(MEMORY, at + 4 * NEXT, ORDER);
    f.intoMemorySegment(MEMORY, at + 5 * NEXT, ORDER);
    g.intoMemorySegment(MEMORY, at + 6 * NEXT, ORDER);
    h.intoMemorySegment(MEMORY, at + 7 * NEXT, ORDER);
  }
}
