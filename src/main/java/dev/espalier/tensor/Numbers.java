package dev.espalier.tensor;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// Loops over numbers of one type where they lie; sums are float32.
///
/// Places are addresses. Needs the Vector API's module, whose methods the innermost loops call
/// themselves: a method of ours between them is not always compiled into the loop, and each vector
/// is then an object.
abstract sealed class Numbers permits Bfloat16, Float32 {
  /// Rows that are read side by side, from as many places: the memory is read ahead there, from the
  /// end of one row to the next.
  static final int ROWS = 4;

  /// Vectors that are multiplied with the same rows at once.
  static final int TOGETHER = 4;

  static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  static final int LANES = FLOATS.length();
  static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /// Whether there are 32 registers of sixteen numbers; else sixteen of eight, or few.
  static final boolean WIDE = LANES == 16;

  /// Numbers that are read at once: room that is asked for anew is not in the cache, and as much of
  /// it as a row takes cost more than what was done to the row.
  static final int PART = 512;

  private static final VectorSpecies<Float> FOUR = FloatVector.SPECIES_128;
  private static final ThreadLocal<float[]> PARTIAL =
      ThreadLocal.withInitial(() -> new float[ROWS * ROWS * LANES]);

  @SuppressWarnings("restricted") // the launcher and the manifest enable native access
  static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final VectorMask<Float> UPPER_8 = upper(8);
  private static final VectorMask<Float> UPPER_4 = upper(4);
  private static final VectorMask<Float> UPPER_2 = upper(2);
  private static final VectorMask<Float> UPPER_1 = upper(1);
  private static final VectorShuffle<Float> OTHER_8 = other(8);
  private static final VectorShuffle<Float> OTHER_4 = other(4);
  private static final VectorShuffle<Float> OTHER_2 = other(2);
  private static final VectorShuffle<Float> OTHER_1 = other(1);

  private static VectorMask<Float> upper(int half) {
    return VectorMask.fromLong(
        FLOATS,
        IntStream.range(0, LANES).filter(i -> (i & half) > 0).mapToLong(i -> 1L << i).sum());
  }

  private static VectorShuffle<Float> other(int half) {
    return VectorShuffle.fromOp(FLOATS, i -> (i ^ half) % LANES);
  }

  /// Rows that follow each other at the same distance, and what each is multiplied with.
  ///
  /// @param first the address of the first
  /// @param apart bytes from one to the next
  /// @param factors of the rows, at `from` to `to`
  record Stack(long first, long apart, float[] factors, int from, int to) {}

  /// @throws IllegalArgumentException if libtorch alone computes with that type
  static Numbers of(Dtype dtype) {
    return switch (dtype) {
      case F32 -> Float32.NUMBERS;
      case BF16 -> Bfloat16.NUMBERS;
      case F16 -> throw new IllegalArgumentException("float16 is only stored: compute in another");
    };
  }

  /// Bytes of one.
  abstract int bytes();

  abstract float get(long at);

  /// Stores the nearest number, the even one of two.
  abstract void set(long at, float number);

  /// Makes of each number the nearest one of this type.
  abstract void round(float[] numbers);

  /// The products of a vector with [#ROWS] rows, as a register of partial sums each, without what
  /// does not fill a register.
  ///
  /// @param rows the first
  /// @param apart bytes from one to the next
  /// @param length of each
  /// @param partial where the registers go, from that place on, [#ROWS] registers apart
  abstract void dots(long rows, long apart, long vector, int length, float[] partial, int place);

  /// Some numbers of a row times as many rows of [Panels#TOGETHER] panels.
  ///
  /// @param panels where the first one's begin
  /// @param apart bytes from one panel to the next
  /// @param sums of the panels, each as [#put] expects them, from a place on
  abstract void row(
      float[] row, int from, int count, long panels, long apart, float[] sums, int to);

  /// The same of [Tiles#FEW] rows, as [TileRows] lays them, and two panels.
  ///
  /// @param sums (FEW, 2 · COLUMNS) from a place on
  abstract void four(
      float[] rows, int from, int count, long panels, long apart, float[] sums, int to);

  /// A panel in float32, as [Tiles] reads it: its own place, or where its numbers were widened to.
  ///
  /// @param room for it
  abstract long wide(long panel, int length, long room);

  /// [#dots] of [#TOGETHER] vectors; where registers are many.
  ///
  /// @param partial registers by row, then by vector
  abstract void dotsTogether(long rows, long apart, long[] vectors, int length, float[] partial);

  /// [#putRows] with [#TOGETHER] vectors of factors; where registers are many.
  ///
  /// @param sums where those of each vector go
  /// @param first address of the rows
  /// @param apart bytes from one to the next
  /// @param factors of each vector, at `from` to `to`
  /// @return how many sums of each vector were put
  abstract int putTogether(
      long[] sums, int length, long first, long apart, float[][] factors, int from, int to);

  /// Reads what fills registers, in float32; for a few of them faster than [#read].
  abstract void load(long from, float[] to, int place, int registers);

  /// Reads the beginnings of rows, as long as a panel is wide, in float32.
  ///
  /// @param apart bytes from one to the next
  /// @param to where they follow each other
  final void panel(long from, long apart, int rows, float[] to) {
    for (int i = 0; i < rows; i++) load(from + apart * i, to, 2 * LANES * i, 2);
  }

  /// Stores some of a panel's sums, rounded.
  ///
  /// @param from where the sums begin
  /// @param count of them, from the first
  abstract void put(float[] sums, int from, int count, long to);

  /// Adds numbers to some of a panel's sums, as [#put] has them.
  abstract void add(long numbers, float[] sums, int from, int count);

  /// The product of two vectors, as a register of partial sums.
  abstract void dot(long one, long other, int length, float[] partial, int place);

  /// How much of a vector fills registers.
  abstract int filled(int length);

  /// Puts the sum of rows, each times its factor, rounded once.
  abstract void putRows(long sum, int length, Stack... stacks);

  /// The sum of a register's numbers.
  static float sum(FloatVector vector) {
    var lanes = new float[LANES];
    vector.intoArray(lanes, 0);
    return sum(lanes, 0);
  }

  /// The sum of a register's numbers, which are overwritten, half to half: the Vector API's own sum
  /// has one order where it is compiled and another where it is not yet, and a run that is repeated
  /// must end with the same bits.
  private static float sum(float[] partial, int place) {
    for (int half = LANES / 2; half >= FOUR.length(); half /= 2) {
      for (int i = place; i < place + half; i += FOUR.length()) {
        var other = FloatVector.fromArray(FOUR, partial, i + half);
        FloatVector.fromArray(FOUR, partial, i).add(other).intoArray(partial, i);
      }
    }
    float even = partial[place] + partial[place + 2];
    return even + (partial[place + 1] + partial[place + 3]);
  }

  /// Adds up the registers that [#dots] makes at a time, each in the order of [#sum]; their sums
  /// come first then.
  static void sums(float[] partial) {
    for (int place = 0; place < ROWS * ROWS * LANES; place += LANES * LANES) {
      if (LANES > 8) halve(partial, place, 8, UPPER_8, OTHER_8);
      if (LANES > 4) halve(partial, place, 4, UPPER_4, OTHER_4);
      halve(partial, place, 2, UPPER_2, OTHER_2);
      halve(partial, place, 1, UPPER_1, OTHER_1);
      FloatVector.fromArray(FLOATS, partial, place).intoArray(partial, place / LANES);
    }
  }

  /// Makes of each two registers, so many apart, one: of the first in the lower lanes, of the other
  /// in the upper ones.
  private static void halve(
      float[] partial, int place, int apart, VectorMask<Float> upper, VectorShuffle<Float> other) {
    for (int i = place; i < place + apart * LANES; i += LANES) {
      var a = FloatVector.fromArray(FLOATS, partial, i);
      var b = FloatVector.fromArray(FLOATS, partial, i + apart * LANES);
      a.blend(b, upper).add(b.blend(a, upper).rearrange(other)).intoArray(partial, i);
    }
  }

  /// Makes columns of the rows of a square, which are as long as a register.
  static void turn(float[] square) {
    if (LANES > 8) swap(square, 8, UPPER_8, OTHER_8);
    if (LANES > 4) swap(square, 4, UPPER_4, OTHER_4);
    swap(square, 2, UPPER_2, OTHER_2);
    swap(square, 1, UPPER_1, OTHER_1);
  }

  /// Swaps the upper lanes of a row with the lower ones of the row so many further.
  private static void swap(
      float[] square, int apart, VectorMask<Float> upper, VectorShuffle<Float> other) {
    for (int first = 0; first < LANES; first += 2 * apart) {
      for (int i = first * LANES; i < (first + apart) * LANES; i += LANES) {
        var a = FloatVector.fromArray(FLOATS, square, i);
        var b = FloatVector.fromArray(FLOATS, square, i + apart * LANES);
        a.blend(b.rearrange(other), upper).intoArray(square, i);
        a.rearrange(other).blend(b, upper).intoArray(square, i + apart * LANES);
      }
    }
  }

  /// The product of what does not fill a register.
  final float rest(long one, long other, int from, int length) {
    float sum = 0;
    for (int i = from; i < length; i++) {
      sum += get(one + (long) i * bytes()) * get(other + (long) i * bytes());
    }
    return sum;
  }

  /// The sum of one number of the rows, each times its row's factor.
  final float sum(int number, Stack... stacks) {
    float sum = 0;
    for (var stack : stacks) {
      long next = stack.first() + (long) number * bytes();
      for (int r = stack.from(); r < stack.to(); r++, next += stack.apart()) {
        sum += stack.factors()[r] * get(next);
      }
    }
    return sum;
  }

  /// The products of a vector with any number of rows that follow each other.
  final void dots(long rows, int count, long vector, int length, float[] sums, int place) {
    long apart = (long) length * bytes();
    int each = count / ROWS; // rows of each place
    var partial = PARTIAL.get();
    for (int i = 0; i < each; i += ROWS) {
      int some = Math.min(ROWS, each - i);
      for (int j = 0; j < some; j++) {
        dots(rows + (i + j) * apart, each * apart, vector, length, partial, j * LANES);
      }
      sums(partial);
      for (int first = 0; first < ROWS; first++) {
        for (int j = 0; j < some; j++) {
          sums[place + first * each + i + j] = partial[first * ROWS + j];
        }
      }
    }
    dotsOfRest(rows, count, vector, length, sums, place);
  }

  /// The same of several vectors, with the same bits.
  final void dots(long rows, int count, long[] vectors, int length, float[][] sums) {
    if (!WIDE || vectors.length != TOGETHER) {
      for (int v = 0; v < vectors.length; v++) dots(rows, count, vectors[v], length, sums[v], 0);
      return;
    }
    long apart = (long) length * bytes();
    int each = count / ROWS; // rows of each place
    var partial = PARTIAL.get();
    for (int i = 0; i < each; i++) {
      dotsTogether(rows + i * apart, each * apart, vectors, length, partial);
      sums(partial);
      for (int j = 0; j < ROWS * TOGETHER; j++) {
        sums[j % TOGETHER][j / TOGETHER * each + i] = partial[j];
      }
    }
    for (int v = 0; v < TOGETHER; v++) {
      dotsOfRest(rows, count, vectors[v], length, sums[v], 0);
    }
  }

  /// The products with the rows after as many as are read side by side, and in all of them what
  /// does not fill a register.
  private void dotsOfRest(long rows, int count, long vector, int length, float[] sums, int place) {
    long apart = (long) length * bytes();
    var partial = PARTIAL.get();
    for (int r = count / ROWS * ROWS; r < count; r++) {
      dot(rows + r * apart, vector, length, partial, 0);
      sums[place + r] = sum(partial, 0);
    }
    int filled = filled(length);
    if (filled == length) return;
    for (int r = 0; r < count; r++) {
      sums[place + r] += rest(rows + r * apart, vector, filled, length);
    }
  }

  /// Puts sums of the same rows, each times a vector's factor of it, with the bits that each has
  /// alone.
  final void putRows(
      long[] sums, int length, long first, long apart, float[][] factors, int from, int to) {
    boolean together = WIDE && sums.length == TOGETHER;
    int done = together ? putTogether(sums, length, first, apart, factors, from, to) : 0;
    if (done == length) return;
    long skipped = (long) done * bytes();
    for (int v = 0; v < sums.length; v++) {
      var stack = new Stack(first + skipped, apart, factors[v], from, to);
      putRows(sums[v] + skipped, length - done, stack);
    }
  }

  final void read(long from, float[] to, int count) {
    read(from, to, 0, count);
  }

  /// Reads numbers to a place.
  void read(long from, float[] to, int place, int count) {
    readFew(from, to, place, count);
  }

  /// The same, those that fill registers by [#load].
  final void readFew(long from, float[] to, int place, int count) {
    int whole = count / LANES * LANES;
    load(from, to, place, whole / LANES);
    for (int i = whole; i < count; i++) to[place + i] = get(from + (long) i * bytes());
  }

  void write(float[] from, long to, int count) {
    for (int i = 0; i < count; i++) set(to + (long) i * bytes(), from[i]);
  }

  /// Adds numbers to others.
  final void addInOrder(long from, float[] to, int count) {
    var some = new float[Math.min(PART, count)];
    for (int i = 0; i < count; i += PART) {
      int few = Math.min(PART, count - i);
      read(from + (long) i * bytes(), some, few);
      int j = 0;
      for (; j <= few - LANES; j += LANES) {
        FloatVector.fromArray(FLOATS, to, i + j)
            .add(FloatVector.fromArray(FLOATS, some, j))
            .intoArray(to, i + j);
      }
      for (; j < few; j++) to[i + j] += some[j];
    }
  }

  final void clear(long at, int count) {
    MEMORY.asSlice(at, (long) count * bytes()).fill((byte) 0);
  }

  final void copy(long from, long to, int count) {
    MemorySegment.copy(MEMORY, from, MEMORY, to, (long) count * bytes());
  }
}
