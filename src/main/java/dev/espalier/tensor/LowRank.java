package dev.espalier.tensor;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// What an adapter adds to a projection, y + B·A·x, for rows that have a different one each: every
/// matrix is read where it lies, at about the speed of the memory.
///
/// bfloat16, summed in float32; on the device's thread.
public final class LowRank {
  private final long a; // addresses
  private final long b;
  private final int rank;
  private final int in;
  private final int out;
  private final int[] ranks;
  private final int[] outs;

  /// Of matrices that stay their owner's.
  ///
  /// @param a (R, in)
  /// @param b (R, out), of which only blocks on the diagonal are read
  /// @param ranks the blocks' rows; their sum is R
  /// @param outs the blocks' columns
  /// @throws IllegalArgumentException if it cannot compute with them
  public LowRank(Tensor a, Tensor b, int[] ranks, int[] outs) {
    rank = Math.toIntExact(a.size(0));
    in = Math.toIntExact(a.size(1));
    out = Math.toIntExact(b.size(1));
    this.ranks = ranks.clone();
    this.outs = outs.clone();
    if (!RowProduct.computes(Dtype.BF16) || !fits(a) || !fits(b)) {
      throw new IllegalArgumentException("not contiguous matrices of bfloat16");
    }
    this.a = a.data_ptr().address();
    this.b = b.data_ptr().address();
  }

  private static boolean fits(Tensor matrix) {
    return Dtype.BF16.is(matrix) && matrix.is_contiguous();
  }

  /// Adds to each row of the output what its adapter makes of the same row of the input.
  ///
  /// @param each of the rows; null for nothing
  /// @param input (N, in), contiguous
  /// @param output (N, out), contiguous; it is changed
  public static void add(List<@Nullable LowRank> each, Tensor input, Tensor output) {
    long in = input.data_ptr().address();
    long out = output.data_ptr().address();
    Crew.device()
        .run(
            each.size(),
            row -> {
              var one = each.get(row);
              if (one != null) one.add(in + 2L * row * one.in, out + 2L * row * one.out);
            });
  }

  private void add(long row, long result) {
    var down = new float[rank];
    int r = 0;
    for (; r <= rank - Bfloat16.ROWS; r += Bfloat16.ROWS) {
      Bfloat16.dots(a + 2L * r * in, row, in, down, r);
    }
    for (; r < rank; r++) down[r] = Bfloat16.dot(a + 2L * r * in, row, in);
    int from = 0;
    int column = 0;
    for (int i = 0; i < ranks.length; i++) {
      int to = from + ranks[i];
      long block = b + 2L * ((long) from * out + column);
      if (ranks[i] > 0) {
        Bfloat16.addRows(result + 2L * column, outs[i], block, 2L * out, down, from, to);
      }
      from = to;
      column += outs[i];
    }
  }
}
