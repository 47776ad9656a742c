package dev.espalier.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

final class Float32 extends Numbers {
  static final Float32 NUMBERS = new Float32();

  private static final int STEP = LANES;
  private static final long APART = 4L * STEP; // bytes

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
  void read(long from, float[] to, int count) {
    MemorySegment.copy(MEMORY, ValueLayout.JAVA_FLOAT_UNALIGNED, from, to, 0, count);
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
  void tile(long rows, long apart, float[] vectors, int from, int length, float[] partial) {
    var a1 = FloatVector.zero(FLOATS);
    var a2 = a1;
    var a3 = a1;
    var a4 = a1;
    var b1 = a1;
    var b2 = a1;
    var b3 = a1;
    var b4 = a1;
    var c1 = a1;
    var c2 = a1;
    var c3 = a1;
    var c4 = a1;
    var d1 = a1;
    var d2 = a1;
    var d3 = a1;
    var d4 = a1;
    for (int i = 0; i <= length - STEP; i += STEP) {
      long at = rows + 4L * i;
      int place = from + i;
      var one = FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER);
      var two = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + apart, ORDER);
      var three = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + 2 * apart, ORDER);
      var four = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + 3 * apart, ORDER);
      var a = FloatVector.fromArray(FLOATS, vectors, place);
      a1 = one.fma(a, a1);
      a2 = two.fma(a, a2);
      a3 = three.fma(a, a3);
      a4 = four.fma(a, a4);
      var b = FloatVector.fromArray(FLOATS, vectors, place + length);
      b1 = one.fma(b, b1);
      b2 = two.fma(b, b2);
      b3 = three.fma(b, b3);
      b4 = four.fma(b, b4);
      var c = FloatVector.fromArray(FLOATS, vectors, place + 2 * length);
      c1 = one.fma(c, c1);
      c2 = two.fma(c, c2);
      c3 = three.fma(c, c3);
      c4 = four.fma(c, c4);
      var d = FloatVector.fromArray(FLOATS, vectors, place + 3 * length);
      d1 = one.fma(d, d1);
      d2 = two.fma(d, d2);
      d3 = three.fma(d, d3);
      d4 = four.fma(d, d4);
    }
    a1.intoArray(partial, 0);
    a2.intoArray(partial, LANES);
    a3.intoArray(partial, 2 * LANES);
    a4.intoArray(partial, 3 * LANES);
    b1.intoArray(partial, 4 * LANES);
    b2.intoArray(partial, 5 * LANES);
    b3.intoArray(partial, 6 * LANES);
    b4.intoArray(partial, 7 * LANES);
    c1.intoArray(partial, 8 * LANES);
    c2.intoArray(partial, 9 * LANES);
    c3.intoArray(partial, 10 * LANES);
    c4.intoArray(partial, 11 * LANES);
    d1.intoArray(partial, 12 * LANES);
    d2.intoArray(partial, 13 * LANES);
    d3.intoArray(partial, 14 * LANES);
    d4.intoArray(partial, 15 * LANES);
  }

  @Override
  void spread(long vector, int length, float[] to, int place) {
    MemorySegment.copy(MEMORY, ValueLayout.JAVA_FLOAT_UNALIGNED, vector, to, place, length);
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
  void addRows(long vector, int length, boolean fresh, Stack... stacks) {
    int i = 0;
    for (; i <= length - 2 * STEP; i += 2 * STEP) { // two, so that one's sum need not wait
      long at = vector + 4L * i;
      var a =
          fresh
              ? FloatVector.zero(FLOATS)
              : FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER);
      var b = fresh ? a : FloatVector.fromMemorySegment(FLOATS, MEMORY, at + APART, ORDER);
      for (var stack : stacks) {
        long next = stack.first() + 4L * i;
        long apart = stack.apart();
        var factors = stack.factors();
        for (int r = stack.from(); r < stack.to(); r++, next += apart) {
          var factor = FloatVector.broadcast(FLOATS, factors[r]);
          a = FloatVector.fromMemorySegment(FLOATS, MEMORY, next, ORDER).fma(factor, a);
          b = FloatVector.fromMemorySegment(FLOATS, MEMORY, next + APART, ORDER).fma(factor, b);
        }
      }
      a.intoMemorySegment(MEMORY, at, ORDER);
      b.intoMemorySegment(MEMORY, at + APART, ORDER);
    }
    addRest(vector, i, length, fresh, stacks);
  }
}
