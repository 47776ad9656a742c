package dev.espalier.tensor;

import dev.espalier.tensor.BrgemmLayout.Sequence;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Products of bfloat16 matrices by [Brgemm], summed in float32.
///
/// The right factor is laid out when it is multiplied, as oneDNN's own products do it, but a few
/// columns at a time, which stay in a core's cache while all rows of the left one are multiplied
/// with them; and what an adapter adds to a projection is summed before the sum is rounded, so that
/// nothing passes through memory in between.
final class BrgemmProduct {
  private static final Bfloat16 NUMBERS = Bfloat16.NUMBERS;
  private static final int BYTES = NUMBERS.bytes();
  private static final int ROUND = 16; // rows: a kernel is compiled for each number, and kept
  private static final int LAID = 1 << 20; // bytes of columns at once, of a cache of twice as much
  private static final int LONGEST = 1 << 12; // numbers of a column that are laid out at once
  private static final int PART = 1 << 11; // of longer ones

  private static final ThreadLocal<Room> ROOM = ThreadLocal.withInitial(Room::new);

  private final List<List<Term>> turns; // what is laid out at once
  private final int rows;
  private final int columns;
  private final int width; // of the columns that a thread takes at once
  private final int blocks; // of columns
  private final int each; // rows that a thread takes at once

  /// A part of a product, on the calling thread.
  private record Term(Matrix left, Matrix right) {
    static Term of(Tensor a, Tensor b) {
      return new Term(Matrix.of(a), Matrix.of(b));
    }

    /// Of some columns.
    Term columns(int first, int count) {
      return new Term(left, right.columns(first, count));
    }

    void check(int rows, int columns) {
      left.checkProduct(right, rows, columns);
      if (left.columns() == 0) throw new IllegalArgumentException("a product that sums nothing");
    }

    /// Parts of a long one, whose right factors are laid out in turn.
    Stream<List<Term>> parts() {
      int length = left.columns();
      return IntStream.range(0, Math.ceilDiv(length, PART))
          .mapToObj(i -> part(i * PART, Math.min(PART, length - i * PART)));
    }

    private List<Term> part(int from, int count) {
      return List.of(new Term(left.columns(from, count), right.rows(from, count)));
    }

    /// Becomes float32 numbers, or is added to them.
    void into(Matrix out, boolean adds) {
      var room = ROOM.get();
      long laid = room.laid.at(BrgemmLayout.bytes(right));
      BrgemmLayout.right(right, Sequence.IN_ORDER, laid);
      int width = BrgemmLayout.filled(right.columns());
      for (int row = 0; row < left.rows(); row += Brgemm.ROWS) {
        int count = Math.min(Brgemm.ROWS, left.rows() - row);
        if (width == right.columns() && padded(count) == count) {
          multiply(row, count, laid, out.place(row, 0), out.apart(), adds);
          continue;
        }
        long sums = room.sums.at((long) Float.BYTES * Brgemm.ROWS * width);
        multiply(row, count, laid, sums, width, false);
        for (int i = 0; i < count; i++) {
          long sum = sums + (long) Float.BYTES * i * width;
          long to = out.place(row + i, 0);
          if (adds) Float32.NUMBERS.add(sum, right.columns(), to);
          else Float32.NUMBERS.copy(sum, to, right.columns());
        }
      }
    }

    /// Multiplies some rows with the right factor laid out.
    ///
    /// @param to where the product goes: (padded rows, apart)
    void multiply(int first, int count, long laid, long to, int apart, boolean adds) {
      int several = padded(count);
      int length = BrgemmLayout.filled(left.columns());
      int width = BrgemmLayout.filled(right.columns());
      long from = left.place(first, 0);
      int each = left.apart();
      if (left.transposed() || several > count || length > left.columns()) {
        from = ROOM.get().rows.at((long) BYTES * several * length);
        each = length;
        BrgemmLayout.left(left.rows(first, count), from);
      }
      Brgemm.multiply(from, several, each, length, laid, width, to, apart, adds);
    }
  }

  /// A thread's.
  private static final class Room {
    final Scratch laid = new Scratch();
    final Scratch rows = new Scratch();
    final Scratch sums = new Scratch();
  }

  private BrgemmProduct(List<Term> terms) {
    rows = terms.getFirst().left().rows();
    columns = terms.getFirst().right().columns();
    for (var term : terms) term.check(rows, columns);
    int longest = terms.stream().mapToInt(term -> term.right().rows()).max().orElseThrow();
    boolean once = longest <= LONGEST;
    turns = once ? List.of(terms) : terms.stream().flatMap(Term::parts).toList();
    int length = once ? longest : PART;
    int most = Math.clamp(LAID / BYTES / length, Tiles.COLUMNS, BrgemmLayout.WIDEST);
    width = Math.min(Integer.highestOneBit(most), BrgemmLayout.filled(Math.max(1, columns)));
    blocks = Math.max(1, Math.ceilDiv(columns, width));
    int parts = Math.ceilDiv(2 * Crew.device().size(), blocks);
    each = Math.ceilDiv(Math.ceilDiv(rows, parts), Brgemm.ROWS) * Brgemm.ROWS;
  }

  /// Whether this processor multiplies so.
  static boolean here() {
    return Brgemm.here() && Numbers.WIDE;
  }

  /// Whether it multiplies such matrices.
  static boolean takes(Tensor a, Tensor b) {
    return here() && Dtype.BF16.is(a) && Dtype.BF16.is(b);
  }

  /// @param a (n, k)
  /// @param b (k, m)
  static BrgemmProduct of(Tensor a, Tensor b) {
    return new BrgemmProduct(List.of(Term.of(a, b)));
  }

  /// @param a (n, k)
  /// @param b (k, m)
  /// @param c (n, l)
  /// @param d (l, m)
  static BrgemmProduct of(Tensor a, Tensor b, Tensor c, Tensor d) {
    return new BrgemmProduct(List.of(Term.of(a, b), Term.of(c, d)));
  }

  /// Computes it on all of the device's threads, rounded once.
  ///
  /// @param bias (m), which is added to each row; null for none
  /// @param more (n, m), which is added; null for nothing
  /// @param out (n, m); it may be what is added
  void into(@Nullable Tensor bias, @Nullable Tensor more, Tensor out) {
    if (bias != null) check(bias, columns);
    if (more != null) check(more, rows, columns);
    check(out, rows, columns);
    if (rows == 0 || columns == 0) return;
    var to = new Target(NUMBERS, columns, Rows.orNone(bias), Rows.orNone(more), Rows.at(out));
    int parts = Math.ceilDiv(rows, each);
    Crew.device().run(blocks * parts, job -> compute(job % blocks, job / blocks, to));
  }

  private static void check(Tensor tensor, long... sizes) {
    if (Dtype.BF16.is(tensor)
        && tensor.is_contiguous()
        && Arrays.equals(tensor.sizes().vec().get(), sizes)) return;
    throw new IllegalArgumentException(
        "not %s bfloat16 numbers that lie together".formatted(Arrays.toString(sizes)));
  }

  private void compute(int block, int part, Target to) {
    var room = ROOM.get();
    int first = block * width;
    int count = Math.min(width, columns - first);
    int filled = BrgemmLayout.filled(count);
    int from = part * each;
    int end = Math.min(rows, from + each);
    boolean once = turns.size() == 1;
    long size = (long) Float.BYTES * filled;
    long all = room.sums.at(size * (once ? Brgemm.ROWS : each));
    for (int turn = 0; turn < turns.size(); turn++) {
      var some =
          turns.get(turn).stream().map(term -> term.columns(first, count)).toArray(Term[]::new);
      var laid = lay(some, room.laid);
      for (int row = from; row < end; row += Brgemm.ROWS) {
        int several = Math.min(Brgemm.ROWS, end - row);
        long sums = once ? all : all + size * (row - from);
        for (int i = 0; i < some.length; i++) {
          some[i].multiply(row, several, laid[i], sums, filled, turn + i > 0);
        }
        if (turn < turns.size() - 1) continue;
        for (int i = 0; i < several; i++) to.put(sums + size * i, count, row + i, first);
      }
    }
    Brgemm.release();
  }

  /// Lays out the right factors.
  ///
  /// @return where each is
  private static long[] lay(Term[] terms, Scratch room) {
    var laid = new long[terms.length];
    long bytes = 0;
    for (int i = 0; i < laid.length; i++) {
      laid[i] = bytes;
      bytes += BrgemmLayout.bytes(terms[i].right());
    }
    long at = room.at(bytes);
    for (int i = 0; i < laid.length; i++) {
      laid[i] += at;
      BrgemmLayout.right(terms[i].right(), Sequence.EVEN_FIRST, laid[i]);
    }
    return laid;
  }

  /// How many rows must lie where so many are multiplied, with anything in the rest.
  private static int padded(int rows) {
    return Math.ceilDiv(rows, ROUND) * ROUND;
  }

  /// a·b on the calling thread.
  ///
  /// @param a (n, k)
  /// @param b (k, m)
  /// @param adds whether to what is there
  /// @param out (n, m), float32, whose rows follow each other
  static void multiply(Matrix a, Matrix b, boolean adds, Matrix out) {
    for (int first = 0; first < b.columns(); first += BrgemmLayout.WIDEST) {
      int count = Math.min(BrgemmLayout.WIDEST, b.columns() - first);
      new Term(a, b.columns(first, count)).into(out.columns(first, count), adds);
    }
    Brgemm.release();
  }
}
