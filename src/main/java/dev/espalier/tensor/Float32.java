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
    b.intoArray(partial, place + LANES);
    c.intoArray(partial, place + 2 * LANES);
    d.intoArray(partial, place + 3 * LANES);
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
