package dev.espalier.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tensor.Device.Urgency;
import java.util.List;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Products of one row and of a few against libtorch's in float64.
final class RowProductTest {
  private static final int MOST = 72; // with what is padded

  private enum Layout {
    AS_IT_LIES,
    PANELS,
    PAIRED;

    Laid of(Tensor matrix) {
      return switch (this) {
        case AS_IT_LIES -> new Laid(null, null, null);
        case PANELS -> new Laid(new Panels(matrix, Panels.Order.ONES), null, null);
        case PAIRED -> new Laid(null, new Panels(matrix, Panels.Order.PAIRS), null);
      };
    }
  }

  /// Widths that fill vectors, that do not, and heights that fill blocks, and do not.
  @ParameterizedTest
  @CsvSource({
    "256,512",
    "1024,3072",
    "16,48",
    "16,47",
    "6,4",
    "38,100",
    "38,101",
    "1024,68",
    "7,8",
    "33,12",
    "9,6"
  })
  void isTheProductRoundedOnce(int in, int out) {
    for (int several : new int[] {1, 3, 4, 9, 12, 17, 30, 65}) {
      for (var dtype : List.of(Dtype.BF16, Dtype.F32)) {
        compare(several, in, out, dtype, Layout.AS_IT_LIES);
        if (Tiles.HERE) compare(several, in, out, dtype, Layout.PANELS);
      }
      if (Brgemm.here() && in % 2 == 0) compare(several, in, out, Dtype.BF16, Layout.PAIRED);
    }
  }

  /// Of the matrix as it lies, and laid out: which of them a machine uses depends on its processor.
  private static void compare(int several, int in, int out, Dtype dtype, Layout layout) {
    boolean paired = layout == Layout.PAIRED;
    int few = paired ? 2 : 1; // one is multiplied by the matrix as it lies
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var noGrad = new NoGradGuard()) {
                torch.manual_seed(in + out);
                var matrix = random(out, in, dtype);
                var rows = random(MOST + few, in, dtype);
                var bias = random(1, out, dtype);
                var more = random(MOST + few, out, dtype);
                var product = random(several, out, dtype);
                var alone = random(several, out, dtype);
                var again = random(few, out, dtype);
                try (var laid = layout.of(matrix)) {
                  var by = new RowProduct(matrix, laid);
                  assertThat(by.padded(several)).isBetween((long) several, (long) MOST);
                  by.times(Rows.at(rows), several, Rows.at(bias), Rows.at(more), Rows.at(product));
                  by.times(Rows.at(rows), several, 0, 0, Rows.at(alone));
                  for (int i = 0; i < several && several >= few; i++) {
                    long its = Rows.at(more.narrow(0, i, 1));
                    by.times(
                        Rows.at(rows.narrow(0, i, 1)), few, Rows.at(bias), its, Rows.at(again));
                    assertThat(again.narrow(0, 0, 1).equal(product.narrow(0, i, 1))).isTrue();
                  }
                }
                var some = rows.narrow(0, 0, several);
                var added = wide(more.narrow(0, 0, several)).add(wide(bias));
                close(product, some, matrix, added, dtype);
                close(alone, some, matrix, torch.zeros(1), dtype);
              }
            });
  }

  /// The pinned libtorch has the call on every processor, whether it can be used or not.
  @Test
  @EnabledOnOs(architectures = "amd64")
  void libtorchHasTheMicrokernel() {
    assertThat(Brgemm.possible()).isEqualTo(Processor.here().flags().contains("amx_bf16"));
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16"})
  void oneRowIsMultipliedByAMatrixAsItLies(Dtype dtype) {
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              var matrix = random(500, 256, dtype);
              var row = random(1, 256, dtype).view(1, 1, 256);
              assertThat(RowProduct.fits(random(2, 256, dtype), matrix)).isFalse();
              assertThat(RowProduct.fits(row, matrix)).isTrue();
              var more = random(1, 500, dtype);
              var bias = random(1, 500, dtype).view(-1);
              var product = RowProduct.of(row, matrix, bias, more);
              assertThat(product.sizes().vec().get()).containsExactly(1, 1, 500);
              close(
                  product.view(1, -1), row.view(1, -1), matrix, wide(more).add(wide(bias)), dtype);
            });
  }

  private static void close(Tensor product, Tensor rows, Tensor matrix, Tensor more, Dtype dtype) {
    var exact = torch.matmul(wide(rows), wide(matrix).t()).add(wide(more));
    // half a unit in the last place of bfloat16, and what float32 sums lose
    double unit = dtype == Dtype.BF16 ? 0x1p-8 : 0x1p-22;
    var bound = exact.abs().mul(new Scalar(unit)).add(new Scalar(1e-4));
    assertThat(wide(product).sub(exact).abs().le(bound).all().item_bool()).isTrue();
  }

  private static Tensor random(long rows, long columns, Dtype dtype) {
    return torch.randn(new long[] {rows, columns}).to(dtype.scalar());
  }

  private static Tensor wide(Tensor tensor) {
    return tensor.to(torch.ScalarType.Double);
  }
}
