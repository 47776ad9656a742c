package dev.espalier.tensor;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// An adapter's matrices of a projection, and what they add to it, y + B·A·x, for rows that have a
/// different adapter each.
///
/// They lie in the order in which a row reads them, at about the speed of the memory. Sums are
/// float32; on the device's thread.
public final class LowRank implements AutoCloseable {
  private static final int PANEL = 8 * Numbers.LANES; // columns that Numbers#addRows has at once

  private final Numbers numbers;
  private final Tensor a; // (R, in)
  private final Tensor
      b; // panels of its blocks on the diagonal, (rank, PANEL or what is left) each
  private final long atA; // where they lie: asking libtorch would take longer than some rows
  private final long atB;
  private final int rank;
  private final int in;
  private final int out;
  private final List<Place> places = new ArrayList<>(); // of the blocks that are not empty
  private final List<Place> panels;

  /// A block on B's diagonal, (ranks, outs), or some of its columns.
  ///
  /// @param rank the first of A's rows that it goes on from
  /// @param column the first of the output's that it gives
  /// @param before how many numbers of other blocks lie before it
  private record Place(int rank, int ranks, int column, int outs, long before) {
    Stream<Place> panels() {
      return IntStream.iterate(0, from -> from < outs, from -> from + PANEL)
          .mapToObj(from -> {
            int some = Math.min(PANEL, outs - from);
            return new Place(rank, ranks, column + from, some, before + (long) from * ranks);
          });
    }
  }

  /// A panel of a block on B's diagonal where it lies, (rank, out).
  ///
  /// @param rank the first of A's rows that it goes on from
  /// @param column the first of the output's that it gives
  public record Block(LaneMatrix matrix, int rank, int column) {}

  /// Copies matrices.
  ///
  /// @param a (R, in)
  /// @param b (out, R), scaled, of which only blocks on the diagonal are not zero
  /// @param ranks the blocks' columns; their sum is R
  /// @param outs the blocks' rows
  public LowRank(Tensor a, Tensor b, int[] ranks, int[] outs) {
    numbers = Numbers.of(Dtype.of(a));
    rank = Math.toIntExact(a.size(0));
    in = Math.toIntExact(a.size(1));
    out = Math.toIntExact(b.size(0));
    int row = 0;
    int column = 0;
    long before = 0;
    for (int i = 0; i < ranks.length; i++) {
      if (ranks[i] > 0) places.add(new Place(row, ranks[i], column, outs[i], before));
      before += (long) ranks[i] * outs[i];
      row += ranks[i];
      column += outs[i];
    }
    panels = places.stream().flatMap(Place::panels).toList();
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      this.a = scope.keep(a.detach().clone());
      this.b = scope.keep(diagonal(b.detach().t()));
    }
    atA = Rows.at(this.a);
    atB = Rows.at(this.b);
  }

  private Tensor diagonal(Tensor dense) {
    var pieces = new TensorVector();
    for (var panel : panels) {
      var ranks = dense.narrow(0, panel.rank(), panel.ranks());
      pieces.push_back(ranks.narrow(1, panel.column(), panel.outs()).reshape(-1));
    }
    return torch.cat(pieces, 0);
  }

  /// A where it lies.
  public LaneMatrix lanes() {
    return new LaneMatrix(numbers, atA, rank, in);
  }

  /// The panels of B's blocks on the diagonal.
  public List<Block> blocks() {
    return panels.stream()
        .map(panel -> {
          var matrix = new LaneMatrix(numbers, at(panel), panel.ranks(), panel.outs());
          return new Block(matrix, panel.rank(), panel.column());
        })
        .toList();
  }

  private long at(Place panel) {
    return atB + numbers.bytes() * panel.before();
  }

  /// What they take.
  public long bytes() {
    return a.nbytes() + b.nbytes();
  }

  /// Rows of a batch that have the same adapter: one thread computes them at once, so that the
  /// matrices are read once.
  public record Share(LowRank of, int[] rows) {
    private static final int MOST = Numbers.TOGETHER;
    private static final int FEW = 16; // rows of a batch, up to which each may be another thread's

    /// Shares of an adapter.
    ///
    /// @param rows of the batch that have it
    /// @param batch how many rows that has
    public static List<Share> of(LowRank adapter, int[] rows, int batch) {
      int each = batch < FEW ? 1 : MOST;
      var shares = new ArrayList<Share>();
      for (int from = 0; from < rows.length; from += each) {
        var some = Arrays.copyOfRange(rows, from, Math.min(rows.length, from + each));
        shares.add(new Share(adapter, some));
      }
      return shares;
    }

    private long work() {
      return (long) rows.length * of.rank * (of.in + of.out);
    }
  }

  /// Adds to rows of the output what their adapter makes of the same rows of the input.
  ///
  /// @param input (N, in), contiguous
  /// @param output (N, out), contiguous; it is changed
  public static void add(List<Share> shares, Tensor input, Tensor output) {
    long in = input.data_ptr().address();
    long out = output.data_ptr().address();
    Crew.device()
        .run(
            shares.size(),
            shares.stream().mapToLong(Share::work).sum(),
            number -> {
              var share = shares.get(number);
              share.of().add(in, out, share.rows());
            });
  }

  private void add(long inputs, long outputs, int[] rows) {
    long bytes = numbers.bytes();
    var from = new long[rows.length];
    var to = new long[rows.length];
    for (int i = 0; i < rows.length; i++) {
      from[i] = inputs + bytes * rows[i] * in;
      to[i] = outputs + bytes * rows[i] * out;
    }
    var down = new float[rows.length][rank];
    numbers.dots(atA, rank, from, in, down);
    var results = new long[rows.length];
    for (var panel : panels) {
      for (int i = 0; i < rows.length; i++) results[i] = to[i] + bytes * panel.column();
      int end = panel.rank() + panel.ranks();
      long apart = bytes * panel.outs();
      numbers.addRows(results, panel.outs(), at(panel), apart, down, panel.rank(), end);
    }
  }

  /// Adds to every row of the output what it makes of that row of the input, by libtorch's
  /// products: faster where rows are many.
  ///
  /// @param input (N, in)
  /// @param output (N, out); it is changed
  public void addAll(Tensor input, Tensor output) {
    var down = Products.linear(input, a);
    for (var place : places) {
      Products.addmm(
          output.narrow(1, place.column(), place.outs()),
          down.narrow(1, place.rank(), place.ranks()),
          dense(place));
    }
  }

  private Tensor dense(Place block) {
    var pieces = new TensorVector();
    block
        .panels()
        .forEach(panel -> {
          var numbers = b.narrow(0, panel.before(), (long) panel.ranks() * panel.outs());
          pieces.push_back(numbers.view(panel.ranks(), panel.outs()));
        });
    return torch.cat(pieces, 1);
  }

  /// What [WarmUp] has compiled of it.
  static void exercise(Dtype dtype, int times) {
    var numbers = Numbers.of(dtype);
    int length = PANEL;
    try (var arena = Arena.ofConfined()) {
      long some = arena.allocate((long) PANEL * Numbers.ROWS * numbers.bytes(), 64).address();
      var rows = new long[Numbers.TOGETHER];
      Arrays.fill(rows, some);
      var down = new float[rows.length][Numbers.ROWS];
      long apart = (long) length * numbers.bytes();
      for (int i = 0; i < times; i++) {
        numbers.dots(some, Numbers.ROWS, rows, length, down);
        numbers.addRows(rows, length, some, apart, down, 0, Numbers.ROWS);
      }
    }
  }

  @Override
  public void close() {
    a.close();
    b.close();
  }
}
