package dev.espalier.tensor;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
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

  private static final int BLOCK = 64; // rows whose partial sums are kept

  static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  static final int LANES = FLOATS.length();
  static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private static final VectorSpecies<Float> FOUR = FloatVector.SPECIES_128;
  private static final ThreadLocal<float[]> PARTIAL =
      ThreadLocal.withInitial(() -> new float[BLOCK * LANES]);

  @SuppressWarnings("restricted") // the launcher and the manifest enable native access
  static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

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
  /// @param partial where the registers go, from that place on
  abstract void dots(long rows, long apart, long vector, int length, float[] partial, int place);

  /// The product of two vectors, likewise.
  abstract void dot(long one, long other, int length, float[] partial, int place);

  /// How much of a vector fills registers.
  abstract int filled(int length);

  /// Adds rows, each times its factor, to a vector, which is rounded once.
  ///
  /// @param fresh whether the vector counts as zeros
  abstract void addRows(long vector, int length, boolean fresh, Stack... stacks);

  /// The sum of a register's numbers.
  static float sum(FloatVector vector) {
    var lanes = new float[LANES];
    vector.intoArray(lanes, 0);
    fold(lanes, 0);
    return sumOfFour(lanes, 0);
  }

  /// Adds up a register's numbers until there are four, in an order of its own: the Vector API's
  /// own sum has one order where it is compiled and another where it is not yet, and a run that is
  /// repeated must end with the same bits.
  private static void fold(float[] partial, int place) {
    var four = FloatVector.fromArray(FOUR, partial, place);
    for (int i = FOUR.length(); i < LANES; i += FOUR.length()) {
      four = four.add(FloatVector.fromArray(FOUR, partial, place + i));
    }
    four.intoArray(partial, place);
  }

  private static float sumOfFour(float[] partial, int place) {
    float left = partial[place] + partial[place + 1];
    return left + (partial[place + 2] + partial[place + 3]);
  }

  /// The product of what does not fill a register.
  final float rest(long one, long other, int from, int length) {
    float sum = 0;
    for (int i = from; i < length; i++) {
      sum += get(one + (long) i * bytes()) * get(other + (long) i * bytes());
    }
    return sum;
  }

  /// [#addRows] for what does not fill a register.
  final void addRest(long vector, int from, int length, boolean fresh, Stack... stacks) {
    for (int i = from; i < length; i++) {
      long skipped = (long) i * bytes();
      float sum = fresh ? 0 : get(vector + skipped);
      for (var stack : stacks) {
        long next = stack.first() + skipped;
        for (int r = stack.from(); r < stack.to(); r++, next += stack.apart()) {
          sum += stack.factors()[r] * get(next);
        }
      }
      set(vector + skipped, sum);
    }
  }

  /// The products of a vector with any number of rows that follow each other.
  final void dots(long rows, int count, long vector, int length, float[] sums, int place) {
    var partial = PARTIAL.get();
    for (int done = 0; done < count; done += BLOCK) {
      int some = Math.min(BLOCK, count - done);
      dots(
          rows + (long) done * length * bytes(), some, vector, length, partial, sums, place + done);
    }
  }

  private void dots(
      long rows, int count, long vector, int length, float[] partial, float[] sums, int place) {
    long apart = (long) length * bytes();
    int each = count / ROWS; // rows of each place
    for (int i = 0; i < each; i++) {
      dots(rows + i * apart, each * apart, vector, length, partial, i * ROWS * LANES);
    }
    for (int r = each * ROWS; r < count; r++) {
      dot(rows + r * apart, vector, length, partial, r * LANES);
    }
    for (int r = 0; r < count; r++) fold(partial, r * LANES);
    for (int first = 0; first < ROWS; first++) {
      for (int i = 0; i < each; i++) {
        sums[place + first * each + i] = sumOfFour(partial, (i * ROWS + first) * LANES);
      }
    }
    for (int r = each * ROWS; r < count; r++) sums[place + r] = sumOfFour(partial, r * LANES);
    int filled = filled(length);
    if (filled == length) return;
    for (int r = 0; r < count; r++) {
      sums[place + r] += rest(rows + r * apart, vector, filled, length);
    }
  }

  void read(long from, float[] to, int count) {
    for (int i = 0; i < count; i++) to[i] = get(from + (long) i * bytes());
  }

  void write(float[] from, long to, int count) {
    for (int i = 0; i < count; i++) set(to + (long) i * bytes(), from[i]);
  }

  final void copy(long from, long to, int count) {
    MemorySegment.copy(MEMORY, from, MEMORY, to, (long) count * bytes());
  }
}
