package dev.espalier.tensor;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// A row times a matrix, near the speed at which the matrix can be read.
///
/// This is what one stream waits for: oneDNN's products read at half of the memory's bandwidth
/// where there is one row.
public final class RowProduct {
  private static final int BLOCK = 64; // rows of the matrix that a thread takes at once

  private RowProduct() {}

  /// Whether it computes this product: one row, and no gradient to record.
  ///
  /// @param row (…, in)
  /// @param matrix (out, in)
  public static boolean fits(Tensor row, Tensor matrix) {
    return row.numel() == row.size(-1)
        && matrix.is_contiguous()
        && row.is_contiguous()
        && !row.requires_grad()
        && !matrix.requires_grad();
  }

  /// The product, on the device's thread; summed in float32.
  ///
  /// @param row (…, in)
  /// @param matrix (out, in), of the same type
  /// @return (…, out)
  public static Tensor of(Tensor row, Tensor matrix) {
    var dtype = Dtype.of(matrix);
    var numbers = Numbers.of(dtype);
    int in = Math.toIntExact(row.size(-1));
    int out = Math.toIntExact(matrix.size(0));
    var shape = row.sizes().vec().get();
    shape[shape.length - 1] = out;
    var product = torch.empty(shape, dtype.options(), null);
    long from = matrix.data_ptr().address();
    long vector = row.data_ptr().address();
    long to = product.data_ptr().address();
    long bytes = numbers.bytes();
    Crew.device()
        .run(
            (out + BLOCK - 1) / BLOCK,
            block -> {
              var sums = new float[BLOCK];
              int first = block * BLOCK;
              int count = Math.min(out - first, BLOCK);
              numbers.dots(from + bytes * first * in, count, vector, in, sums, 0);
              numbers.write(sums, to + bytes * first, count);
            });
    return product;
  }
}
