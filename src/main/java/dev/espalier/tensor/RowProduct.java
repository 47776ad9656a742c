package dev.espalier.tensor;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// A row times a bfloat16 matrix, near the speed at which the matrix can be read.
///
/// This is what one stream waits for: oneDNN's products read at half of the memory's bandwidth
/// where there is one row.
public final class RowProduct {
  private static final boolean AVAILABLE =
      ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();

  private static final int BLOCK = 64; // rows of the matrix that a thread takes at once

  private RowProduct() {}

  /// Whether rows of that type are computed so: bfloat16, and the process needs `--add-modules
  /// jdk.incubator.vector`, without which libtorch does it.
  public static boolean computes(Dtype dtype) {
    return AVAILABLE && dtype == Dtype.BF16;
  }

  /// Whether it computes this product: one row, bfloat16, and no gradient to record.
  ///
  /// @param row (…, in)
  /// @param matrix (out, in)
  public static boolean fits(Tensor row, Tensor matrix) {
    return AVAILABLE
        && row.numel() == row.size(-1)
        && Dtype.BF16.is(matrix)
        && Dtype.BF16.is(row)
        && matrix.size(0) % Bfloat16.ROWS == 0
        && matrix.is_contiguous()
        && row.is_contiguous()
        && !row.requires_grad()
        && !matrix.requires_grad();
  }

  /// The product, on the device's thread; summed in float32.
  ///
  /// @param row (…, in)
  /// @param matrix (out, in)
  /// @return (…, out), bfloat16
  public static Tensor of(Tensor row, Tensor matrix) {
    int in = Math.toIntExact(row.size(-1));
    int out = Math.toIntExact(matrix.size(0));
    var shape = row.sizes().vec().get();
    shape[shape.length - 1] = out;
    var product = torch.empty(shape, Dtype.BF16.options(), null);
    long from = matrix.data_ptr().address();
    long vector = row.data_ptr().address();
    long to = product.data_ptr().address();
    Crew.device()
        .run(
            (out + BLOCK - 1) / BLOCK,
            block -> {
              var sums = new float[Bfloat16.ROWS];
              int end = Math.min(out, (block + 1) * BLOCK);
              for (int r = block * BLOCK; r < end; r += sums.length) {
                Bfloat16.dots(from + 2L * r * in, vector, in, sums, 0);
                for (int i = 0; i < sums.length; i++) Bfloat16.store(to + 2L * (r + i), sums[i]);
              }
            });
    return product;
  }
}
