package dev.espalier.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tensor.Device.Urgency;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// One row's product against libtorch's in float64.
final class RowProductTest {
  /// Widths that fill vectors, that do not, and heights that fill blocks, and do not.
  @ParameterizedTest
  @CsvSource({"256,512", "1024,3072", "16,48", "6,4", "38,100", "1024,68", "7,8", "33,12"})
  void isTheProductRoundedOnce(int in, int out) {
    assertThat(RowProduct.computes(Dtype.BF16)).isTrue();
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var noGrad = new NoGradGuard()) {
                torch.manual_seed(in + out);
                var matrix = random(out, in);
                var row = random(1, in).view(1, 1, in);
                assertThat(RowProduct.fits(row, matrix)).isTrue();
                var product = RowProduct.of(row, matrix);
                assertThat(product.sizes().vec().get()).containsExactly(1, 1, out);
                var exact = torch.matmul(wide(matrix), wide(row).view(-1));
                // half a unit in the last of eight binary places, and what float32 sums lose
                var bound = exact.abs().mul(new Scalar(0x1p-8)).add(new Scalar(1e-4));
                var off = wide(product).view(-1).sub(exact).abs();
                assertThat(off.le(bound).all().item_bool()).isTrue();
              }
            });
  }

  @ParameterizedTest
  @CsvSource({"2,256,512", "1,256,6"})
  void leavesOtherProductsToLibtorch(int rows, int in, int out) {
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> assertThat(RowProduct.fits(random(rows, in), random(out, in))).isFalse());
  }

  private static Tensor random(long rows, long columns) {
    return torch.randn(new long[] {rows, columns}).to(Dtype.BF16.scalar());
  }

  private static Tensor wide(Tensor tensor) {
    return tensor.to(torch.ScalarType.Double);
  }
}
