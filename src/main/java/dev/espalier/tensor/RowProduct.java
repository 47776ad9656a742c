package dev.espalier.tensor;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// A few rows times a matrix. One is multiplied near the speed at which the matrix can be read, and
/// several have the bits that each has alone.
///
/// This is what a stream waits for: oneDNN's products read at half of the memory's bandwidth where
/// there is one row, and with few rows compute at a third of its speed with many.
public final class RowProduct {
  private static final int BLOCK = 64; // rows of the matrix that a thread takes at once
  private static final int FEW = 32; // rows, up to which it is the faster one

  private static final boolean SEVERAL =
      Numbers.TILES && !Processor.here().multipliesBfloat16Faster();

  private final Numbers numbers;
  private final long matrix; // where it lies
  private final int in;
  private final int out;

  /// By a matrix that stays its owner's.
  ///
  /// @param matrix (out, in), contiguous
  public RowProduct(Tensor matrix) {
    numbers = Numbers.of(Dtype.of(matrix));
    this.matrix = matrix.data_ptr().address();
    in = Math.toIntExact(matrix.size(1));
    out = Math.toIntExact(matrix.size(0));
  }

  /// Whether so many rows are multiplied here.
  public static boolean takes(long rows) {
    return rows == 1 || (SEVERAL && rows <= FEW);
  }

  /// Whether it computes this product: few rows, and no gradient to record.
  ///
  /// @param rows (…, in)
  /// @param matrix (out, in)
  public static boolean fits(Tensor rows, Tensor matrix) {
    return takes(rows.numel() / rows.size(-1))
        && matrix.is_contiguous()
        && rows.is_contiguous()
        && !rows.requires_grad()
        && !matrix.requires_grad();
  }

  /// The product, on the device's thread; summed in float32.
  ///
  /// @param rows (…, in)
  /// @param matrix (out, in), of the same type
  /// @return (…, out)
  public static Tensor of(Tensor rows, Tensor matrix) {
    var by = new RowProduct(matrix);
    var shape = rows.sizes().vec().get();
    shape[shape.length - 1] = by.out;
    var product = torch.empty(shape, Dtype.of(matrix).options(), null);
    by.times(Rows.at(rows), Math.toIntExact(rows.numel() / by.in), Rows.at(product));
    return product;
  }

  /// The product of rows that follow each other, on the device's thread; summed in float32.
  ///
  /// @param rows where they lie: (several, in)
  /// @param product where it goes: (several, out)
  public void times(long rows, int several, long product) {
    long bytes = numbers.bytes();
    var spread = new float[several < Numbers.ROWS ? 0 : several * in];
    for (int i = 0; i < spread.length; i += in) numbers.spread(rows + bytes * i, in, spread, i);
    Crew.device()
        .run(
            (out + BLOCK - 1) / BLOCK,
            (long) several * in * out,
            block -> {
              int first = block * BLOCK;
              int count = Math.min(out - first, BLOCK);
              long from = matrix + bytes * first * in;
              long to = product + bytes * first;
              numbers.products(from, count, rows, spread, several, in, to, bytes * out);
            });
  }
}
