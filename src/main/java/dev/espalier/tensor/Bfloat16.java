package dev.espalier.tensor;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
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
  void dots(long rows, long vector, int length, float[] partial, int place) {
    long apart = 2L * length;
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
      var both = load(vector + 4L * i);
      var even = even(both);
      var odd = odd(both);
      var one = load(at);
      var two = load(at + apart);
      var three = load(at + 2 * apart);
      var four = load(at + 3 * apart);
      a = even(one).fma(even, a);
      b = odd(one).fma(odd, b);
      c = even(two).fma(even, c);
      d = odd(two).fma(odd, d);
      e = even(three).fma(even, e);
      f = odd(three).fma(odd, f);
      g = even(four).fma(even, g);
      h = odd(four).fma(odd, h);
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
      var left = load(one + 4L * i);
      var right = load(other + 4L * i);
      a = even(left).fma(even(right), a);
      b = odd(left).fma(odd(right), b);
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
      var both = fresh ? IntVector.zero(PAIRS) : load(at);
      var even = even(both);
      var odd = odd(both);
      for (var stack : stacks) {
        long next = stack.first() + 4L * i;
        long apart = stack.apart();
        var factors = stack.factors();
        for (int r = stack.from(); r < stack.to(); r++, next += apart) {
          var one = load(next);
          var factor = FloatVector.broadcast(FLOATS, factors[r]);
          even = even(one).fma(factor, even);
          odd = odd(one).fma(factor, odd);
        }
      }
      var low = rounded(even).lanewise(VectorOperators.LSHR, 16);
      low.or(rounded(odd).and(UPPER)).intoMemorySegment(MEMORY, at, ORDER);
    }
    addRest(vector, 2 * i, length, fresh, stacks);
  }

  /// The bits of numbers whose upper halves are the nearest bfloat16 ones.
  private static IntVector rounded(FloatVector numbers) {
    var bits = numbers.reinterpretAsInts();
    return bits.add(bits.lanewise(VectorOperators.LSHR, 16).and(1)).add(HALF);
  }

  private static IntVector load(long at) {
    return IntVector.fromMemorySegment(PAIRS, MEMORY, at, ORDER);
  }

  private static FloatVector even(IntVector pairs) {
    return pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  private static FloatVector odd(IntVector pairs) {
    return pairs.and(UPPER).reinterpretAsFloats();
  }
}
