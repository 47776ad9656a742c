package dev.espalier.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Loops over bfloat16 numbers where they lie, summed in float32.
///
/// A bfloat16 is the upper half of a float32, so two are widened at a time: the one at the even
/// place shifted up, its neighbour with the other masked out. Needs the Vector API's module, so
/// that whoever comes here has asked [RowProduct#computes] first.
final class Bfloat16 {
  /// Rows that are read side by side: so many streams keep the memory busy.
  static final int ROWS = 4;

  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> PAIRS = IntVector.SPECIES_PREFERRED;
  private static final int STEP = PAIRS.length();
  private static final int UPPER = 0xFFFF0000;
  private static final int HALF = 0x7FFF;
  private static final int QUIET = 0x400000; // what no NaN of libtorch's is without
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  @SuppressWarnings("restricted") // the launcher and the manifest enable native access
  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private Bfloat16() {}

  /// The products of a vector with four rows that follow each other.
  ///
  /// @param rows the address of the first
  /// @param vector its address
  /// @param length of each
  /// @param sums where the products go, from that place on
  static void dots(long rows, long vector, int length, float[] sums, int place) {
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
    int i = 0;
    for (; i <= pairs - STEP; i += STEP) {
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
    sums[place] = sum(a, b) + rest(rows, vector, 2 * i, length);
    sums[place + 1] = sum(c, d) + rest(rows + apart, vector, 2 * i, length);
    sums[place + 2] = sum(e, f) + rest(rows + 2 * apart, vector, 2 * i, length);
    sums[place + 3] = sum(g, h) + rest(rows + 3 * apart, vector, 2 * i, length);
  }

  /// The product of two vectors.
  static float dot(long one, long other, int length) {
    var a = FloatVector.zero(FLOATS);
    var b = a;
    int pairs = length / 2;
    int i = 0;
    for (; i <= pairs - STEP; i += STEP) {
      var left = load(one + 4L * i);
      var right = load(other + 4L * i);
      a = even(left).fma(even(right), a);
      b = odd(left).fma(odd(right), b);
    }
    return sum(a, b) + rest(one, other, 2 * i, length);
  }

  /// What does not fill a vector.
  private static float rest(long one, long other, int from, int length) {
    float sum = 0;
    for (int i = from; i < length; i++) sum += number(one + 2L * i) * number(other + 2L * i);
    return sum;
  }

  /// Adds rows, each times its factor, to a vector.
  ///
  /// @param rows the address of the first
  /// @param apart bytes from one row to the next
  /// @param factors those of the rows are `from` to `to`
  static void addRows(
      long vector, int length, long rows, long apart, float[] factors, int from, int to) {
    int pairs = length / 2;
    int i = 0;
    for (; i <= pairs - STEP; i += STEP) {
      long at = vector + 4L * i;
      var both = load(at);
      var even = even(both);
      var odd = odd(both);
      long next = rows + 4L * i;
      for (int r = from; r < to; r++, next += apart) {
        var one = load(next);
        var factor = FloatVector.broadcast(FLOATS, factors[r]);
        even = even(one).fma(factor, even);
        odd = odd(one).fma(factor, odd);
      }
      var low = rounded(even).lanewise(VectorOperators.LSHR, 16);
      low.or(rounded(odd).and(UPPER)).intoMemorySegment(MEMORY, at, ORDER);
    }
    for (i *= 2; i < length; i++) {
      float sum = number(vector + 2L * i);
      long next = rows + 2L * i;
      for (int r = from; r < to; r++, next += apart) sum += factors[r] * number(next);
      store(vector + 2L * i, sum);
    }
  }

  /// Stores the nearest bfloat16, the even one of two.
  static void store(long at, float number) {
    int bits = Float.floatToRawIntBits(number);
    int nearest = bits + HALF + ((bits >>> 16) & 1);
    int upper = (Float.isNaN(number) ? bits | QUIET : nearest) >>> 16;
    MEMORY.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) upper);
  }

  /// The bits of numbers whose upper halves are the nearest bfloat16 ones.
  private static IntVector rounded(FloatVector numbers) {
    var bits = numbers.reinterpretAsInts();
    return bits.add(bits.lanewise(VectorOperators.LSHR, 16).and(1)).add(HALF);
  }

  private static float number(long at) {
    return Float.intBitsToFloat(MEMORY.get(ValueLayout.JAVA_SHORT_UNALIGNED, at) << 16);
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

  private static float sum(FloatVector one, FloatVector other) {
    return one.add(other).reduceLanes(VectorOperators.ADD);
  }
}
