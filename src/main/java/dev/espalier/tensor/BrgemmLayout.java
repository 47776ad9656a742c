package dev.espalier.tensor;

import static dev.espalier.tensor.Numbers.FLOATS;
import static dev.espalier.tensor.Numbers.LANES;
import static dev.espalier.tensor.Numbers.MEMORY;
import static dev.espalier.tensor.Numbers.ORDER;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.Arena;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// Copies of bfloat16 matrices, or of some columns, that lie as [Brgemm] reads the factors of a
/// product.
///
/// Numbers are moved in pairs, whichever way they lie: squares of pairs are turned in registers.
final class BrgemmLayout {
  /// Columns of a right factor at most.
  static final int WIDEST = 256;

  /// How the columns of each [Tiles#COLUMNS] of a right factor follow each other.
  enum Sequence {
    /// Even ones first, as [Bfloat16#put] expects what is summed of them.
    EVEN_FIRST,
    IN_ORDER
  }

  private static final VectorSpecies<Integer> PAIRS = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Short> HALF =
      VectorSpecies.of(short.class, VectorShape.forBitSize(PAIRS.vectorBitSize() / 2));
  private static final VectorShuffle<Integer> ZIP = VectorShuffle.makeZip(PAIRS, 0);
  private static final VectorShuffle<Integer> UPPER_ZIP = VectorShuffle.makeZip(PAIRS, 1);
  private static final int UPPER = 0xFFFF0000;
  private static final long NEXT = (long) Integer.BYTES * LANES; // bytes of a register

  /// The row after the last of an odd number.
  private static final long ZEROS =
      Arena.global().allocate((long) Short.BYTES * WIDEST, Long.BYTES).address();

  private static final ThreadLocal<float[]> SQUARE =
      ThreadLocal.withInitial(() -> new float[LANES * LANES]);

  private BrgemmLayout() {}

  /// So many numbers, filled up: to a register of pairs, or to whole numbers of two, since a kernel
  /// is compiled for each length that is met, and kept.
  static int filled(int count) {
    int step = count <= Tiles.COLUMNS ? Tiles.COLUMNS : 2 * Tiles.COLUMNS;
    return Math.ceilDiv(count, step) * step;
  }

  /// What [#right] takes.
  static long bytes(Matrix matrix) {
    return (long) Short.BYTES * filled(matrix.rows()) * filled(matrix.columns());
  }

  /// Lays out a right factor: (rows / 2, columns, 2), the first two numbers of each column, then
  /// the next two. Rows and columns are filled up with zeros.
  static void right(Matrix matrix, Sequence sequence, long to) {
    if (matrix.transposed()) turn(matrix, sequence, to);
    else join(matrix, sequence, to);
    int pairs = Math.ceilDiv(matrix.rows(), 2);
    long apart = (long) Integer.BYTES * filled(matrix.columns());
    clear(to + apart * pairs, to + bytes(matrix));
  }

  /// Lays out a left factor: (rows, columns), the columns filled up with zeros.
  static void left(Matrix matrix, long to) {
    if (matrix.transposed()) {
      part(matrix, to);
      return;
    }
    long apart = (long) Short.BYTES * filled(matrix.columns());
    long size = (long) Short.BYTES * matrix.columns();
    for (int row = 0; row < matrix.rows(); row++) {
      long next = to + apart * row;
      Bfloat16.NUMBERS.copy(matrix.place(row, 0), next, matrix.columns());
      clear(next + size, next + apart);
    }
  }

  private static void clear(long from, long to) {
    if (from < to) MEMORY.asSlice(from, to - from).fill((byte) 0);
  }

  /// Rows that follow each other: two become one of pairs.
  private static void join(Matrix matrix, Sequence sequence, long to) {
    int width = filled(matrix.columns());
    for (int row = 0; row < matrix.rows(); row += 2) {
      long one = matrix.place(row, 0);
      long other = row + 1 < matrix.rows() ? matrix.place(row + 1, 0) : ZEROS;
      long next = to + 2L * row * width;
      if (sequence == Sequence.EVEN_FIRST) evenFirst(one, other, matrix.columns(), next);
      else inOrder(one, other, matrix.columns(), next);
    }
  }

  private static void evenFirst(long one, long other, int count, long to) {
    int i = 0;
    for (; i <= count - Tiles.COLUMNS; i += Tiles.COLUMNS) {
      var a = IntVector.fromMemorySegment(PAIRS, MEMORY, one + 2L * i, ORDER);
      var b = IntVector.fromMemorySegment(PAIRS, MEMORY, other + 2L * i, ORDER);
      var even = a.and(~UPPER).or(b.lanewise(LSHL, 16));
      var odd = a.lanewise(LSHR, 16).or(b.and(UPPER));
      even.intoMemorySegment(MEMORY, to + 4L * i, ORDER);
      odd.intoMemorySegment(MEMORY, to + 4L * i + NEXT, ORDER);
    }
    if (i == count) return;
    var there = SHORTS.indexInRange(0, count - i);
    var a = ShortVector.fromMemorySegment(SHORTS, MEMORY, one + 2L * i, ORDER, there);
    var b = ShortVector.fromMemorySegment(SHORTS, MEMORY, other + 2L * i, ORDER, there);
    var first = a.reinterpretAsInts();
    var second = b.reinterpretAsInts();
    var even = first.and(~UPPER).or(second.lanewise(LSHL, 16));
    var odd = first.lanewise(LSHR, 16).or(second.and(UPPER));
    even.intoMemorySegment(MEMORY, to + 4L * i, ORDER);
    odd.intoMemorySegment(MEMORY, to + 4L * i + NEXT, ORDER);
  }

  private static void inOrder(long one, long other, int count, long to) {
    evenFirst(one, other, count, to);
    for (int i = 0; i < count; i += Tiles.COLUMNS) {
      var even = IntVector.fromMemorySegment(PAIRS, MEMORY, to + 4L * i, ORDER);
      var odd = IntVector.fromMemorySegment(PAIRS, MEMORY, to + 4L * i + NEXT, ORDER);
      even.rearrange(ZIP, odd).intoMemorySegment(MEMORY, to + 4L * i, ORDER);
      even.rearrange(UPPER_ZIP, odd).intoMemorySegment(MEMORY, to + 4L * i + NEXT, ORDER);
    }
  }

  /// Columns that follow each other: squares of pairs are turned.
  private static void turn(Matrix matrix, Sequence sequence, long to) {
    var square = SQUARE.get();
    int pairs = Math.ceilDiv(matrix.rows(), 2);
    int count = matrix.columns();
    int width = filled(count);
    boolean evenFirst = sequence == Sequence.EVEN_FIRST;
    for (int i = 0; i < width; i += LANES) {
      int half = i % Tiles.COLUMNS / LANES;
      int first = evenFirst ? i - half * LANES + half : i;
      int step = evenFirst ? 2 : 1;
      for (int pair = 0; pair < pairs; pair += LANES) {
        int some = Math.min(2 * LANES, matrix.rows() - 2 * pair);
        for (int n = 0; n < LANES; n++) {
          int column = first + n * step;
          load(column < count ? matrix.place(2 * pair, column) : 0, some, square, n * LANES);
        }
        Numbers.turn(square);
        for (int n = 0; n < Math.min(LANES, pairs - pair); n++) {
          FloatVector.fromArray(FLOATS, square, n * LANES)
              .intoMemorySegment(MEMORY, to + 4L * ((long) (pair + n) * width + i), ORDER);
        }
      }
    }
  }

  /// Rows that do not follow each other: squares of pairs of them are turned and parted.
  private static void part(Matrix matrix, long to) {
    var square = SQUARE.get();
    int apart = filled(matrix.columns());
    for (int row = 0; row < matrix.rows(); row += 2 * LANES) {
      int some = Math.min(2 * LANES, matrix.rows() - row);
      for (int column = 0; column < apart; column += LANES) {
        for (int n = 0; n < LANES; n++) {
          boolean there = column + n < matrix.columns();
          load(there ? matrix.place(row, column + n) : 0, some, square, n * LANES);
        }
        Numbers.turn(square);
        for (int n = 0; n < some; n++) {
          var both = FloatVector.fromArray(FLOATS, square, n / 2 * LANES).reinterpretAsInts();
          var one = n % 2 == 0 ? both : both.lanewise(LSHR, 16);
          ((ShortVector) one.convertShape(VectorOperators.I2S, HALF, 0))
              .intoMemorySegment(MEMORY, to + 2L * ((long) (row + n) * apart + column), ORDER);
        }
      }
    }
  }

  /// Reads pairs that follow each other, whose bits nobody computes with.
  ///
  /// @param from 0 for zeros
  /// @param numbers how many there are; zeros come after them
  private static void load(long from, int numbers, float[] to, int place) {
    if (from == 0) {
      FloatVector.zero(FLOATS).intoArray(to, place);
    } else if (numbers == 2 * LANES) {
      FloatVector.fromMemorySegment(FLOATS, MEMORY, from, ORDER).intoArray(to, place);
    } else {
      var there = SHORTS.indexInRange(0, numbers);
      ShortVector.fromMemorySegment(SHORTS, MEMORY, from, ORDER, there)
          .reinterpretAsFloats()
          .intoArray(to, place);
    }
  }
}
