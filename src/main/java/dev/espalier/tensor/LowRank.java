package dev.espalier.tensor;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// What an adapter adds to a projection, y + B·A·x, for rows that have a different one each: every
/// matrix is read where it lies, at about the speed of the memory.
///
/// Sums are float32; on the device's thread.
public final class LowRank {
  private final Numbers numbers;
  private final long a; // addresses
  private final long b;
  private final int rank;
  private final int in;
  private final int out;
  private final int[] ranks;
  private final int[] outs;

  /// Of matrices that stay their owner's.
  ///
  /// @param a (R, in), contiguous
  /// @param b (R, out), contiguous, of which only blocks on the diagonal are read
  /// @param ranks the blocks' rows; their sum is R
  /// @param outs the blocks' columns
  public LowRank(Tensor a, Tensor b, int[] ranks, int[] outs) {
    numbers = Numbers.of(Dtype.of(a));
    rank = Math.toIntExact(a.size(0));
    in = Math.toIntExact(a.size(1));
    out = Math.toIntExact(b.size(1));
    this.ranks = ranks.clone();
    this.outs = outs.clone();
    this.a = a.data_ptr().address();
    this.b = b.data_ptr().address();
  }

  /// Adds to each row of the output what its adapter makes of the same row of the input.
  ///
  /// @param each of the rows; null for nothing
  /// @param input (N, in), contiguous
  /// @param output (N, out), contiguous; it is changed
  public static void add(List<@Nullable LowRank> each, Tensor input, Tensor output) {
    long in = input.data_ptr().address();
    long out = output.data_ptr().address();
    long work = 0;
    for (var one : each) if (one != null) work += one.rank * (one.in + (long) one.out);
    Crew.device()
        .run(
            each.size(),
            work,
            row -> {
              var one = each.get(row);
              if (one != null) one.add(in, out, row);
            });
  }

  private void add(long inputs, long outputs, long row) {
    long bytes = numbers.bytes();
    long result = outputs + bytes * row * out;
    var down = new float[rank];
    numbers.dots(a, rank, inputs + bytes * row * in, in, down, 0);
    int from = 0;
    int column = 0;
    for (int i = 0; i < ranks.length; i++) {
      int to = from + ranks[i];
      if (ranks[i] > 0) {
        long block = b + bytes * ((long) from * out + column);
        var rows = new Numbers.Stack(block, bytes * out, down, from, to);
        numbers.addRows(result + bytes * column, outs[i], false, rows);
      }
      from = to;
      column += outs[i];
    }
  }
}
