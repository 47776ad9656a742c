package dev.espalier.tensor;

import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// A bfloat16 is the upper half of a float32, so two are widened at a time: the one at the even
/// place shifted up, its neighbour with the other masked out.
final class Bfloat16 extends Numbers {
  static final Bfloat16 NUMBERS = new Bfloat16();

  private static final VectorSpecies<Integer> PAIRS = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(PAIRS.vectorBitSize() / 2));
  private static final int STEP = PAIRS.length();
  private static final long WIDTH = Tiles.WIDTH / 2; // bytes of a panel's row
  private static final long NEXT = 4L * STEP; // bytes of a register
  private static final ThreadLocal<float[]> SUMS =
      ThreadLocal.withInitial(() -> new float[16 * LANES]);
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
    int i = 0;
    for (; i <= numbers.length - STEP; i += STEP) {
      var some = FloatVector.fromArray(FLOATS, numbers, i);
      nearest(some).and(UPPER).reinterpretAsFloats().intoArray(numbers, i);
    }
    for (; i < numbers.length; i++) numbers[i] = Float.intBitsToFloat(upper(numbers[i]) << 16);
  }

  @Override
  void write(float[] from, long to, int count) {
    int i = 0;
    for (; i <= count - STEP; i += STEP) {
      var upper = nearest(FloatVector.fromArray(FLOATS, from, i)).lanewise(LSHR, 16);
      var some = (ShortVector) upper.convertShape(VectorOperators.I2S, SHORTS, 0);
      some.intoMemorySegment(MEMORY, to + 2L * i, ORDER);
    }
    for (; i < count; i++) set(to + 2L * i, from[i]);
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
  void dotsTogether(long rows, long apart, long[] vectors, int length, float[] partial) {
    int pairs = length / 2;
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
    for (int i = 0; i <= pairs - STEP; i += STEP) {
      long skipped = 4L * i;
      long at = rows + skipped;
      var x0 = IntVector.fromMemorySegment(PAIRS, MEMORY, v0 + skipped, ORDER);
      var x1 = IntVector.fromMemorySegment(PAIRS, MEMORY, v1 + skipped, ORDER);
      var x2 = IntVector.fromMemorySegment(PAIRS, MEMORY, v2 + skipped, ORDER);
      var x3 = IntVector.fromMemorySegment(PAIRS, MEMORY, v3 + skipped, ORDER);
      var a = IntVector.fromMemorySegment(PAIRS, MEMORY, at, ORDER);
      var b = IntVector.fromMemorySegment(PAIRS, MEMORY, at + apart, ORDER);
      var c = IntVector.fromMemorySegment(PAIRS, MEMORY, at + 2 * apart, ORDER);
      var d = IntVector.fromMemorySegment(PAIRS, MEMORY, at + 3 * apart, ORDER);
      var even0 = x0.lanewise(LSHL, 16).reinterpretAsFloats();
      var even1 = x1.lanewise(LSHL, 16).reinterpretAsFloats();
      var even2 = x2.lanewise(LSHL, 16).reinterpretAsFloats();
      var even3 = x3.lanewise(LSHL, 16).reinterpretAsFloats();
      var aEven = a.lanewise(LSHL, 16).reinterpretAsFloats();
      a0 = aEven.fma(even0, a0);
      a1 = aEven.fma(even1, a1);
      a2 = aEven.fma(even2, a2);
      a3 = aEven.fma(even3, a3);
      var bEven = b.lanewise(LSHL, 16).reinterpretAsFloats();
      b0 = bEven.fma(even0, b0);
      b1 = bEven.fma(even1, b1);
      b2 = bEven.fma(even2, b2);
      b3 = bEven.fma(even3, b3);
      var cEven = c.lanewise(LSHL, 16).reinterpretAsFloats();
      c0 = cEven.fma(even0, c0);
      c1 = cEven.fma(even1, c1);
      c2 = cEven.fma(even2, c2);
      c3 = cEven.fma(even3, c3);
      var dEven = d.lanewise(LSHL, 16).reinterpretAsFloats();
      d0 = dEven.fma(even0, d0);
      d1 = dEven.fma(even1, d1);
      d2 = dEven.fma(even2, d2);
      d3 = dEven.fma(even3, d3);
      var odd0 = x0.and(UPPER).reinterpretAsFloats();
      var odd1 = x1.and(UPPER).reinterpretAsFloats();
      var odd2 = x2.and(UPPER).reinterpretAsFloats();
      var odd3 = x3.and(UPPER).reinterpretAsFloats();
      var aOdd = a.and(UPPER).reinterpretAsFloats();
      a0 = aOdd.fma(odd0, a0);
      a1 = aOdd.fma(odd1, a1);
      a2 = aOdd.fma(odd2, a2);
      a3 = aOdd.fma(odd3, a3);
      var bOdd = b.and(UPPER).reinterpretAsFloats();
      b0 = bOdd.fma(odd0, b0);
      b1 = bOdd.fma(odd1, b1);
      b2 = bOdd.fma(odd2, b2);
      b3 = bOdd.fma(odd3, b3);
      var cOdd = c.and(UPPER).reinterpretAsFloats();
      c0 = cOdd.fma(odd0, c0);
      c1 = cOdd.fma(odd1, c1);
      c2 = cOdd.fma(odd2, c2);
      c3 = cOdd.fma(odd3, c3);
      var dOdd = d.and(UPPER).reinterpretAsFloats();
      d0 = dOdd.fma(odd0, d0);
      d1 = dOdd.fma(odd1, d1);
      d2 = dOdd.fma(odd2, d2);
      d3 = dOdd.fma(odd3, d3);
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
      long at = panels + WIDTH * i;
      var x = FloatVector.broadcast(FLOATS, row[from + i]);
      var a = IntVector.fromMemorySegment(PAIRS, MEMORY, at, ORDER);
      var b = IntVector.fromMemorySegment(PAIRS, MEMORY, at + apart, ORDER);
      var c = IntVector.fromMemorySegment(PAIRS, MEMORY, at + 2 * apart, ORDER);
      var d = IntVector.fromMemorySegment(PAIRS, MEMORY, at + 3 * apart, ORDER);
      a0 = a.lanewise(LSHL, 16).reinterpretAsFloats().fma(x, a0);
      b0 = b.lanewise(LSHL, 16).reinterpretAsFloats().fma(x, b0);
      c0 = c.lanewise(LSHL, 16).reinterpretAsFloats().fma(x, c0);
      d0 = d.lanewise(LSHL, 16).reinterpretAsFloats().fma(x, d0);
      a1 = a.and(UPPER).reinterpretAsFloats().fma(x, a1);
      b1 = b.and(UPPER).reinterpretAsFloats().fma(x, b1);
      c1 = c.and(UPPER).reinterpretAsFloats().fma(x, c1);
      d1 = d.and(UPPER).reinterpretAsFloats().fma(x, d1);
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

  /// One of the two panels of [#four].
  private static void narrow(float[] rows, int from, int count, long panel, float[] sums, int to) {
    var a0 = FloatVector.zero(FLOATS);
    var a1 = a0;
    var b0 = a0;
    var b1 = a0;
    var c0 = a0;
    var c1 = a0;
    var d0 = a0;
    var d1 = a0;
    for (int i = 0; i < count; i++) {
      long at = panel + WIDTH * i;
      int place = from + Tiles.FEW * i;
      var both = IntVector.fromMemorySegment(PAIRS, MEMORY, at, ORDER);
      var w0 = both.lanewise(LSHL, 16).reinterpretAsFloats();
      var w1 = both.and(UPPER).reinterpretAsFloats();
      var a = FloatVector.broadcast(FLOATS, rows[place]);
      a0 = w0.fma(a, a0);
      a1 = w1.fma(a, a1);
      var b = FloatVector.broadcast(FLOATS, rows[place + 1]);
      b0 = w0.fma(b, b0);
      b1 = w1.fma(b, b1);
      var c = FloatVector.broadcast(FLOATS, rows[place + 2]);
      c0 = w0.fma(c, c0);
      c1 = w1.fma(c, c1);
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
      long at = panels + WIDTH * i;
      int place = from + Tiles.FEW * i;
      var one = IntVector.fromMemorySegment(PAIRS, MEMORY, at, ORDER);
      var other = IntVector.fromMemorySegment(PAIRS, MEMORY, at + apart, ORDER);
      var w0 = one.lanewise(LSHL, 16).reinterpretAsFloats();
      var w1 = one.and(UPPER).reinterpretAsFloats();
      var w2 = other.lanewise(LSHL, 16).reinterpretAsFloats();
      var w3 = other.and(UPPER).reinterpretAsFloats();
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
    for (int i = 0; i < length; i++) {
      long to = room + Tiles.WIDTH * i;
      var both = IntVector.fromMemorySegment(PAIRS, MEMORY, panel + WIDTH * i, ORDER);
      both.lanewise(LSHL, 16).intoMemorySegment(MEMORY, to, ORDER);
      both.and(UPPER).intoMemorySegment(MEMORY, to + Tiles.WIDTH / 2, ORDER);
    }
    return room;
  }

  @Override
  void load(long from, float[] to, int place, int registers) {
    for (int i = 0; i < registers; i++) {
      var some = ShortVector.fromMemorySegment(SHORTS, MEMORY, from + 2L * LANES * i, ORDER);
      var wide = (IntVector) some.convertShape(VectorOperators.ZERO_EXTEND_S2I, PAIRS, 0);
      wide.lanewise(LSHL, 16).reinterpretAsFloats().intoArray(to, place + LANES * i);
    }
  }

  /// The sums of even columns come first.
  @Override
  void put(float[] sums, int from, int count, long to) {
    if (count < Tiles.COLUMNS) {
      for (int i = 0; i < count; i++) set(to + 2L * i, sums[from + place(i)]);
      return;
    }
    var even = FloatVector.fromArray(FLOATS, sums, from);
    var odd = FloatVector.fromArray(FLOATS, sums, from + LANES);
    join(even, odd).intoMemorySegment(MEMORY, to, ORDER);
  }

  @Override
  void add(long numbers, float[] sums, int from, int count) {
    if (count < Tiles.COLUMNS) {
      for (int i = 0; i < count; i++) sums[from + place(i)] += get(numbers + 2L * i);
      return;
    }
    var both = IntVector.fromMemorySegment(PAIRS, MEMORY, numbers, ORDER);
    FloatVector.fromArray(FLOATS, sums, from)
        .add(both.lanewise(LSHL, 16).reinterpretAsFloats())
        .intoArray(sums, from);
    FloatVector.fromArray(FLOATS, sums, from + LANES)
        .add(both.and(UPPER).reinterpretAsFloats())
        .intoArray(sums, from + LANES);
  }

  /// Where a column's sum is of those of its panel.
  private static int place(int column) {
    return column % 2 * LANES + column / 2;
  }

  /// The same of panels that follow each other.
  private static long place(long sums, int column) {
    int inPanel = column % Tiles.COLUMNS;
    return sums + 4L * (column - inPanel + place(inPanel));
  }

  /// Stores float32 numbers, rounded.
  void narrow(long from, int count, long to) {
    int i = 0;
    for (; i <= count - STEP; i += STEP) {
      var some = FloatVector.fromMemorySegment(FLOATS, MEMORY, from + 4L * i, ORDER);
      var upper = rounded(some).lanewise(LSHR, 16);
      var shorts = (ShortVector) upper.convertShape(VectorOperators.I2S, SHORTS, 0);
      shorts.intoMemorySegment(MEMORY, to + 2L * i, ORDER);
    }
    for (; i < count; i++) set(to + 2L * i, Float32.NUMBERS.get(from + 4L * i));
  }

  /// Makes of a panel of [Lanes] three, whose sum it is: the nearest numbers, those nearest to what
  /// is left, and to what is left then.
  ///
  /// @param panel (features, PANEL), float32
  /// @param features an even number
  /// @param parts where the first goes: (features / 2, PANEL, 2)
  /// @param apart bytes from one part to the next
  void split(long panel, int features, long parts, long apart) {
    for (int i = 0; i < features * Lanes.PANEL; i += 2 * Lanes.PANEL) {
      for (int half = 0; half < Lanes.PANEL; half += LANES) {
        long at = panel + 4L * (i + half);
        long to = parts + 2L * i + 4L * half;
        var even = FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER);
        var odd = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + Lanes.ROW, ORDER);
        for (int part = 0; part < 3; part++) {
          var upper = rounded(even).and(UPPER);
          var other = rounded(odd).and(UPPER);
          upper.lanewise(LSHR, 16).or(other).intoMemorySegment(MEMORY, to + apart * part, ORDER);
          even = even.sub(upper.reinterpretAsFloats());
          odd = odd.sub(other.reinterpretAsFloats());
        }
      }
    }
  }

  /// Stores sums that lie as [#put] expects them, one panel's after the other's, rounded.
  void put(long sums, int count, long to) {
    int i = 0;
    for (; i <= count - Tiles.COLUMNS; i += Tiles.COLUMNS) {
      long at = sums + 4L * i;
      var even = FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER);
      var odd = FloatVector.fromMemorySegment(FLOATS, MEMORY, at + NEXT, ORDER);
      join(even, odd).intoMemorySegment(MEMORY, to + 2L * i, ORDER);
    }
    for (; i < count; i++) set(to + 2L * i, Float32.NUMBERS.get(place(sums, i)));
  }

  /// Adds numbers to such sums.
  void add(long numbers, int count, long sums) {
    int i = 0;
    for (; i <= count - Tiles.COLUMNS; i += Tiles.COLUMNS) {
      long at = sums + 4L * i;
      var both = IntVector.fromMemorySegment(PAIRS, MEMORY, numbers + 2L * i, ORDER);
      FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER)
          .add(both.lanewise(LSHL, 16).reinterpretAsFloats())
          .intoMemorySegment(MEMORY, at, ORDER);
      FloatVector.fromMemorySegment(FLOATS, MEMORY, at + NEXT, ORDER)
          .add(both.and(UPPER).reinterpretAsFloats())
          .intoMemorySegment(MEMORY, at + NEXT, ORDER);
    }
    for (; i < count; i++) {
      long at = place(sums, i);
      Float32.NUMBERS.set(at, Float32.NUMBERS.get(at) + get(numbers + 2L * i));
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
  void putRows(long sum, int length, Stack... stacks) {
    var sums = SUMS.get();
    int i = 0;
    for (; i <= length - 8 * LANES; i += 8 * LANES) {
      long at = sum + 2L * i;
      sum(sums, 2L * i, stacks);
      for (int j = 0; j < 4; j++) put(sums, 2 * LANES * j, 2 * LANES, at + NEXT * j);
    }
    for (; i <= length - 2 * LANES; i += 2 * LANES) {
      var even = FloatVector.zero(FLOATS);
      var odd = even;
      for (var stack : stacks) {
        long next = stack.first() + 2L * i;
        long apart = stack.apart();
        var factors = stack.factors();
        for (int r = stack.from(); r < stack.to(); r++, next += apart) {
          var one = IntVector.fromMemorySegment(PAIRS, MEMORY, next, ORDER);
          var factor = FloatVector.broadcast(FLOATS, factors[r]);
          even = one.lanewise(LSHL, 16).reinterpretAsFloats().fma(factor, even);
          odd = one.and(UPPER).reinterpretAsFloats().fma(factor, odd);
        }
      }
      join(even, odd).intoMemorySegment(MEMORY, sum + 2L * i, ORDER);
    }
    for (; i < length; i++) set(sum + 2L * i, sum(i, stacks));
  }

  @Override
  int putTogether(
      long[] to, int length, long first, long apart, float[][] factors, int from, int end) {
    var sums = SUMS.get();
    int i = 0;
    for (; i <= length - 4 * LANES; i += 4 * LANES) {
      sum(sums, first + 2L * i, apart, factors, from, end);
      for (int v = 0; v < TOGETHER; v++) {
        long at = to[v] + 2L * i;
        put(sums, 4 * LANES * v, 2 * LANES, at);
        put(sums, 4 * LANES * v + 2 * LANES, 2 * LANES, at + NEXT);
      }
    }
    return i;
  }

  /// Four registers of each vector's sums.
  private static void sum(
      float[] sums, long first, long apart, float[][] factors, int from, int to) {
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
    long next = first;
    for (int r = from; r < to; r++, next += apart) {
      var one = IntVector.fromMemorySegment(PAIRS, MEMORY, next, ORDER);
      var other = IntVector.fromMemorySegment(PAIRS, MEMORY, next + NEXT, ORDER);
      var w0 = one.lanewise(LSHL, 16).reinterpretAsFloats();
      var w1 = one.and(UPPER).reinterpretAsFloats();
      var w2 = other.lanewise(LSHL, 16).reinterpretAsFloats();
      var w3 = other.and(UPPER).reinterpretAsFloats();
      var a = FloatVector.broadcast(FLOATS, aFactors[r]);
      a0 = w0.fma(a, a0);
      a1 = w1.fma(a, a1);
      a2 = w2.fma(a, a2);
      a3 = w3.fma(a, a3);
      var b = FloatVector.broadcast(FLOATS, bFactors[r]);
      b0 = w0.fma(b, b0);
      b1 = w1.fma(b, b1);
      b2 = w2.fma(b, b2);
      b3 = w3.fma(b, b3);
      var c = FloatVector.broadcast(FLOATS, cFactors[r]);
      c0 = w0.fma(c, c0);
      c1 = w1.fma(c, c1);
      c2 = w2.fma(c, c2);
      c3 = w3.fma(c, c3);
      var d = FloatVector.broadcast(FLOATS, dFactors[r]);
      d0 = w0.fma(d, d0);
      d1 = w1.fma(d, d1);
      d2 = w2.fma(d, d2);
      d3 = w3.fma(d, d3);
    }
    a0.intoArray(sums, 0);
    a1.intoArray(sums, LANES);
    a2.intoArray(sums, 2 * LANES);
    a3.intoArray(sums, 3 * LANES);
    b0.intoArray(sums, 4 * LANES);
    b1.intoArray(sums, 5 * LANES);
    b2.intoArray(sums, 6 * LANES);
    b3.intoArray(sums, 7 * LANES);
    c0.intoArray(sums, 8 * LANES);
    c1.intoArray(sums, 9 * LANES);
    c2.intoArray(sums, 10 * LANES);
    c3.intoArray(sums, 11 * LANES);
    d0.intoArray(sums, 12 * LANES);
    d1.intoArray(sums, 13 * LANES);
    d2.intoArray(sums, 14 * LANES);
    d3.intoArray(sums, 15 * LANES);
  }

  /// Eight registers of sums at once: one waits for its last addition, and seven others fill the
  /// time.
  ///
  /// @param skipped bytes of each row
  private static void sum(float[] sums, long skipped, Stack... stacks) {
    var a0 = FloatVector.zero(FLOATS);
    var a1 = a0;
    var b0 = a0;
    var b1 = a0;
    var c0 = a0;
    var c1 = a0;
    var d0 = a0;
    var d1 = a0;
    for (var stack : stacks) {
      long next = stack.first() + skipped;
      long apart = stack.apart();
      var factors = stack.factors();
      for (int r = stack.from(); r < stack.to(); r++, next += apart) {
        var factor = FloatVector.broadcast(FLOATS, factors[r]);
        var a = IntVector.fromMemorySegment(PAIRS, MEMORY, next, ORDER);
        a0 = a.lanewise(LSHL, 16).reinterpretAsFloats().fma(factor, a0);
        a1 = a.and(UPPER).reinterpretAsFloats().fma(factor, a1);
        var b = IntVector.fromMemorySegment(PAIRS, MEMORY, next + NEXT, ORDER);
        b0 = b.lanewise(LSHL, 16).reinterpretAsFloats().fma(factor, b0);
        b1 = b.and(UPPER).reinterpretAsFloats().fma(factor, b1);
        var c = IntVector.fromMemorySegment(PAIRS, MEMORY, next + 2 * NEXT, ORDER);
        c0 = c.lanewise(LSHL, 16).reinterpretAsFloats().fma(factor, c0);
        c1 = c.and(UPPER).reinterpretAsFloats().fma(factor, c1);
        var d = IntVector.fromMemorySegment(PAIRS, MEMORY, next + 3 * NEXT, ORDER);
        d0 = d.lanewise(LSHL, 16).reinterpretAsFloats().fma(factor, d0);
        d1 = d.and(UPPER).reinterpretAsFloats().fma(factor, d1);
      }
    }
    a0.intoArray(sums, 0);
    a1.intoArray(sums, LANES);
    b0.intoArray(sums, 2 * LANES);
    b1.intoArray(sums, 3 * LANES);
    c0.intoArray(sums, 4 * LANES);
    c1.intoArray(sums, 5 * LANES);
    d0.intoArray(sums, 6 * LANES);
    d1.intoArray(sums, 7 * LANES);
  }

  /// Pairs of the nearest bfloat16 numbers.
  private static IntVector join(FloatVector even, FloatVector odd) {
    return rounded(even).lanewise(LSHR, 16).or(rounded(odd).and(UPPER));
  }

  /// The same for what may not be a number.
  private static IntVector nearest(FloatVector numbers) {
    var none = numbers.test(VectorOperators.IS_NAN).cast(PAIRS);
    return rounded(numbers).blend(numbers.reinterpretAsInts().or(QUIET), none);
  }

  /// The bits of numbers whose upper halves are the nearest bfloat16 ones.
  private static IntVector rounded(FloatVector numbers) {
    var bits = numbers.reinterpretAsInts();
    return bits.add(bits.lanewise(LSHR, 16).and(1)).add(HALF);
  }
}
