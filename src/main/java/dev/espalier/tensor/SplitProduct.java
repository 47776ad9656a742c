package dev.espalier.tensor;

import static dev.espalier.tensor.Lanes.PANEL;
import static dev.espalier.tensor.Lanes.ROW;

import java.lang.foreign.Arena;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Products of tokens side by side with a matrix of bfloat16 numbers, by [Brgemm].
///
/// A float32 number is the sum of three bfloat16 ones, so that nothing of a token is lost: three
/// products by the processor's tiles are as near as one in float32, and take a third of its time.
public final class SplitProduct implements AutoCloseable {
  private static final int PARTS = 3;

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private final Tensor matrix; // (out, in)
  private final Tensor transposed;
  private final long at;
  private final long atTransposed;
  private final int out;
  private final int in;

  private SplitProduct(Tensor matrix, Tensor transposed) {
    this.matrix = matrix;
    this.transposed = transposed;
    at = Rows.at(matrix);
    atTransposed = Rows.at(transposed);
    out = Math.toIntExact(matrix.size(0));
    in = Math.toIntExact(matrix.size(1));
  }

  /// Copies a matrix; null where the processor has no tiles, or some number is no bfloat16.
  ///
  /// @param matrix (out, in)
  static @Nullable SplitProduct of(Tensor matrix) {
    if (!BrgemmProduct.here() || matrix.size(1) % 2 > 0) return null;
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      var rounded = matrix.to(Dtype.BF16.scalar());
      if (!rounded.to(matrix.scalar_type()).equal(matrix)) return null;
      return new SplitProduct(scope.keep(rounded.clone()), scope.keep(rounded.t().contiguous()));
    }
  }

  /// Some rows of the matrix, as what tokens are multiplied by.
  ///
  /// @param row the first
  Left rows(int row, int rows) {
    return new Left(at + (long) Short.BYTES * row * in, rows, in, in);
  }

  /// The transpose of some rows.
  ///
  /// @param row the first
  /// @param rows how many, a multiple of two
  Left transposed(int row, int rows) {
    return new Left(atTransposed + (long) Short.BYTES * row, in, out, rows);
  }

  /// A left factor where it lies, (rows, length).
  ///
  /// @param apart numbers from one of its rows to the next
  record Left(long at, int rows, int apart, int length) {
    /// As [LaneMatrix#multiply] has it.
    void multiply(Lanes x, @Nullable Lanes start, Lanes product) {
      long size = ROW * length / 2; // of a part
      long parts = SCRATCH.get().at(PARTS * size);
      for (int panel = 0; panel < product.panels(); panel++) {
        Bfloat16.NUMBERS.split(x.place(panel, 0), length, parts, size);
        long sums = product.place(panel, 0);
        if (start != null && start.at() != product.at()) {
          LaneMath.copy(start.place(panel, 0), sums, rows);
        }
        for (int part = PARTS - 1; part >= 0; part--) { // the smallest first
          boolean adds = start != null || part < PARTS - 1;
          Brgemm.multiply(at, rows, apart, length, parts + size * part, PANEL, sums, PANEL, adds);
        }
      }
      Brgemm.release();
    }
  }

  /// What [WarmUp] has compiled of it.
  static void exercise(int times) {
    int length = 4;
    try (var arena = Arena.ofConfined()) {
      long some = arena.allocate(ROW * length, 64).address();
      long parts = arena.allocate(PARTS * ROW * length / 2, 64).address();
      for (int i = 0; i < times; i++) {
        Bfloat16.NUMBERS.split(some, length, parts, ROW * length / 2);
      }
    }
  }

  @Override
  public void close() {
    matrix.close();
    transposed.close();
  }
}
