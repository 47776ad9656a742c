package dev.espalier.tensor;

import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/// A bfloat16 is the upper half of a float32, so two are widened at a time: the one at the even
/// place shifted up, its neighbour with the other masked out.
final class Bfloat16 extends Numbers {
  static final Bfloat16 NUMBERS = new Bfloat16();

  private static final VectorSpecies<Integer> PAIRS = IntVector.SPECIES_PREFERRED;
  private static final int STEP = PAIRS.length();
  private static final int UPPER = 0xFFFF0000;
  private static final int HALF = 0x7FFF;
  private static final int QUIET = 0x400000; // what no NaN of libtorch's is without

  private Bfloat16() {}

  @Override
  int bytes() {
    return Short.BYTES;
  }

  @Override
  float get(long at) {
    return Float.intBitsToFloat(MEMORY.get(ValueLayout.JAVA_SHORT_UNALIGNED, at) << 16);
  }

  @Override
  void set(long at, float number) {
    MEMORY.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) upper(number));
  }

  @Override
  void round(float[] numbers) {
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = Float.intBitsToFloat(upper(numbers[i]) << 16);
    }
  }

  /// The bits of the nearest bfloat16.
  private static int upper(float number) {
    int bits = Float.floatToRawIntBits(number);
    int nearest = bits + HALF + ((bits >>> 16) & 1);
    return (Float.isNaN(number) ? bits | QUIET : nearest) >>> 16;
  }

  @Override
  void dots(long rows, long apart, long vector, int length, float[] partial, int place) {
    int pairs = length / 2;
    var a = FloatVector.zero(FLOATS);
    var b = a;
    var c = a;
    var d = a;
    for (int i = 0; i <= pairs - STEP; i += STEP) {
      long at = rows + 4L * i;
      var both = IntVector.fromMemorySegment(PAIRS, MEMORY, vector + 4L * i, ORDER);
      var even = both.lanewise(LSHL, 16).reinterpretAsFloats();
      var odd = both.and(UPPER).reinterpretAsFloats();
      var one = IntVector.fromMemorySegment(PAIRS, MEMORY, at, ORDER);
      var two = IntVector.fromMemorySegment(PAIRS, MEMORY, at + apart, ORDER);
      var three = IntVector.fromMemorySegment(PAIRS, MEMORY, at + 2 * apart, ORDER);
      var four = IntVector.fromMemorySegment(PAIRS, MEMORY, at + 3 * apart, ORDER);
      a = one.lanewise(LSHL, 16).reinterpretAsFloats().fma(even, a);
      b = two.lanewise(LSHL, 16).reinterpretAsFloats().fma(even, b);
      c = three.lanewise(LSHL, 16).reinterpretAsFloats().fma(even, c);
      d = four.lanewise(LSHL, 16).reinterpretAsFloats().fma(even, d);
      a = one.and(UPPER).reinterpretAsFloats().fma(odd, a);
      b = two.and(UPPER).reinterpretAsFloats().fma(odd, b);
      c = three.and(UPPER).reinterpretAsFloats().fma(odd, c);
      d = four.and(UPPER).reinterpretAsFloats().fma(odd, d);
    }
    a.intoArray(partial, place);
    b.intoArray(partial, place + ROWS * LANES);
    c.intoArray(partial, place + 2 * ROWS * LANES);
    d.intoArray(partial, place + 3 * ROWS * LANES);
  }

  @Override
  void tile(long rows, long apart, float[] vectors, int from, int length, float[] partial) {
    int pairs = length / 2;
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
    for (int i = 0; i <= pairs - STEP; i += STEP) {
      long at = rows + 4L * i;
      int place = from + 2 * i;
      var one = IntVector.fromMemorySegment(PAIRS, MEMORY, at, ORDER);
      var two = IntVector.fromMemorySegment(PAIRS, MEMORY, at + apart, ORDER);
      var three = IntVector.fromMemorySegment(PAIRS, MEMORY, at + 2 * apart, ORDER);
      var four = IntVector.fromMemorySegment(PAIRS, MEMORY, at + 3 * apart, ORDER);
      var even1 = one.lanewise(LSHL, 16).reinterpretAsFloats();
      var even2 = two.lanewise(LSHL, 16).reinterpretAsFloats();
      var even3 = three.lanewise(LSHL, 16).reinterpretAsFloats();
      var even4 = four.lanewise(LSHL, 16).reinterpretAsFloats();
      var evenA = FloatVector.fromArray(FLOATS, vectors, place);
      a1 = even1.fma(evenA, a1);
      a2 = even2.fma(evenA, a2);
      a3 = even3.fma(evenA, a3);
      a4 = even4.fma(evenA, a4);
      var evenB = FloatVector.fromArray(FLOATS, vectors, place + length);
      b1 = even1.fma(evenB, b1);
      b2 = even2.fma(evenB, b2);
      b3 = even3.fma(evenB, b3);
      b4 = even4.fma(evenB, b4);
      var evenC = FloatVector.fromArray(FLOATS, vectors, place + 2 * length);
      c1 = even1.fma(evenC, c1);
      c2 = even2.fma(evenC, c2);
      c3 = even3.fma(evenC, c3);
      c4 = even4.fma(evenC, c4);
      var evenD = FloatVector.fromArray(FLOATS, vectors, place + 3 * length);
      d1 = even1.fma(evenD, d1);
      d2 = even2.fma(evenD, d2);
      d3 = even3.fma(evenD, d3);
      d4 = even4.fma(evenD, d4);
      var odd1 = one.and(UPPER).reinterpretAsFloats();
      var odd2 = two.and(UPPER).reinterpretAsFloats();
      var odd3 = three.and(UPPER).reinterpretAsFloats();
      var odd4 = four.and(UPPER).reinterpretAsFloats();
      var oddA = FloatVector.fromArray(FLOATS, vectors, place + STEP);
      a1 = odd1.fma(oddA, a1);
      a2 = odd2.fma(oddA, a2);
      a3 = odd3.fma(oddA, a3);
      a4 = odd4.fma(oddA, a4);
      var oddB = FloatVector.fromArray(FLOATS, vectors, place + length + STEP);
      b1 = odd1.fma(oddB, b1);
      b2 = odd2.fma(oddB, b2);
      b3 = odd3.fma(oddB, b3);
      b4 = odd4.fma(oddB, b4);
      var oddC = FloatVector.fromArray(FLOATS, vectors, place + 2 * length + STEP);
      c1 = odd1.fma(oddC, c1);
      c2 = odd2.fma(oddC, c2);
      c3 = odd3.fma(oddC, c3);
      c4 = odd4.fma(oddC, c4);
      var oddD = FloatVector.fromArray(FLOATS, vectors, place + 3 * length + STEP);
      d1 = odd1.fma(oddD, d1);
      d2 = odd2.fma(oddD, d2);
      d3 = odd3.fma(oddD, d3);
      d4 = odd4.fma(oddD, d4);
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
    for (int i = 0; i <= length / 2 - STEP; i += STEP) {
      var both = IntVector.fromMemorySegment(PAIRS, MEMORY, vector + 4L * i, ORDER);
      both.lanewise(LSHL, 16).reinterpretAsFloats().intoArray(to, place + 2 * i);
      both.and(UPPER).reinterpretAsFloats().intoArray(to, place + 2 * i + STEP);
    }
  }

  @Override
  void dot(long one, long other, int length, float[] partial, int place) {
    var a = FloatVector.zero(FLOATS);
    int pairs = length / 2;
    for (int i = 0; i <= pairs - STEP; i += STEP) {
      var left = IntVector.fromMemorySegment(PAIRS, MEMORY, one + 4L * i, ORDER);
      var right = IntVector.fromMemorySegment(PAIRS, MEMORY, other + 4L * i, ORDER);
      var even = right.lanewise(LSHL, 16).reinterpretAsFloats();
      a = left.lanewise(LSHL, 16).reinterpretAsFloats().fma(even, a);
      a = left.and(UPPER).reinterpretAsFloats().fma(right.and(UPPER).reinterpretAsFloats(), a);
    }
    a.intoArray(partial, place);
  }

  @Override
  int filled(int length) {
    return length / (2 * STEP) * (2 * STEP);
  }

  @Override
  void addRows(long vector, int length, boolean fresh, Stack... stacks) {
    int pairs = length / 2;
    int i = 0;
    for (; i <= pairs - STEP; i += STEP) {
      long at = vector + 4L * i;
      var both =
          fresh ? IntVector.zero(PAIRS) : IntVector.fromMemorySegment(PAIRS, MEMORY, at, ORDER);
      var even = both.lanewise(LSHL, 16).reinterpretAsFloats();
      var odd = both.and(UPPER).reinterpretAsFloats();
      for (var stack : stacks) {
        long next = stack.first() + 4L * i;
        long apart = stack.apart();
        var factors = stack.factors();
        for (int r = stack.from(); r < stack.to(); r++, next += apart) {
          var one = IntVector.fromMemorySegment(PAIRS, MEMORY, next, ORDER);
          var factor = FloatVector.broadcast(FLOATS, factors[r]);
          even = one.lanewise(LSHL, 16).reinterpretAsFloats().fma(factor, even);
          odd = one.and(UPPER).reinterpretAsFloats().fma(factor, odd);
        }
      }
      var low = rounded(even).lanewise(LSHR, 16);
      low.or(rounded(odd).and(UPPER)).intoMemorySegment(MEMORY, at, ORDER);
    }
    addRest(vector, 2 * i, length, fresh, stacks);
  }

  /// The bits of numbers whose upper halves are the nearest bfloat16 ones.
  private static IntVector rounded(FloatVector numbers) {
    var bits = numbers.reinterpretAsInts();
    return bits.add(bits.lanewise(LSHR, 16).and(1)).add(HALF);
  }
}
