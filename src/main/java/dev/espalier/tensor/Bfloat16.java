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
    var e = a;
    var f = a;
    var g = a;
    var h = a;
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
      b = one.and(UPPER).reinterpretAsFloats().fma(odd, b);
      c = two.lanewise(LSHL, 16).reinterpretAsFloats().fma(even, c);
      d = two.and(UPPER).reinterpretAsFloats().fma(odd, d);
      e = three.lanewise(LSHL, 16).reinterpretAsFloats().fma(even, e);
      f = three.and(UPPER).reinterpretAsFloats().fma(odd, f);
      g = four.lanewise(LSHL, 16).reinterpretAsFloats().fma(even, g);
      h = four.and(UPPER).reinterpretAsFloats().fma(odd, h);
    }
    a.add(b).intoArray(partial, place);
    c.add(d).intoArray(partial, place + LANES);
    e.add(f).intoArray(partial, place + 2 * LANES);
    g.add(h).intoArray(partial, place + 3 * LANES);
  }

  @Override
  void dot(long one, long other, int length, float[] partial, int place) {
    var a = FloatVector.zero(FLOATS);
    var b = a;
    int pairs = length / 2;
    for (int i = 0; i <= pairs - STEP; i += STEP) {
      var left = IntVector.fromMemorySegment(PAIRS, MEMORY, one + 4L * i, ORDER);
      var right = IntVector.fromMemorySegment(PAIRS, MEMORY, other + 4L * i, ORDER);
      a =
          left.lanewise(LSHL, 16)
              .reinterpretAsFloats()
              .fma(right.lanewise(LSHL, 16).reinterpretAsFloats(), a);
      b = left.and(UPPER).reinterpretAsFloats().fma(right.and(UPPER).reinterpretAsFloats(), b);
    }
    a.add(b).intoArray(partial, place);
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
