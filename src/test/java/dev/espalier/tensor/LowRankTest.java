package dev.espalier.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.LowRank.Share;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What an adapter adds to rows: alone, several at once, and by libtorch.
final class LowRankTest {
  private static final int ROWS = 22; // five times four at once, and two

  /// Ranks and widths that fill vectors, and that do not; a layer that the adapter does not change.
  @ParameterizedTest
  @CsvSource({
    "F32,256,16,16,128,64",
    "BF16,256,16,16,128,64",
    "BF16,64,16,0,200,48",
    "F32,38,3,5,70,9",
    "BF16,38,3,5,70,10",
    "BF16,20,1,2,6,4"
  })
  void rowsAreAddedToWithTheSameBitsAloneAndTogether(
      Dtype dtype, int in, int rank, int otherRank, int out, int otherOut) {
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var noGrad = new NoGradGuard()) {
                torch.manual_seed(in + rank);
                int all = rank + otherRank;
                var a = random(all, in, dtype);
                var b = torch.zeros(new long[] {out + otherOut, all}, dtype.options());
                fill(b.narrow(0, 0, out).narrow(1, 0, rank), dtype);
                fill(b.narrow(0, out, otherOut).narrow(1, rank, otherRank), dtype);
                var input = random(ROWS, in, dtype);
                var output = random(ROWS, out + otherOut, dtype);
                var together = output.clone();
                var alone = output.clone();
                int[] ranks = {rank, otherRank};
                int[] outs = {out, otherOut};
                try (var adapter = new LowRank(a, b, ranks, outs)) {
                  var rows = IntStream.range(0, ROWS).toArray();
                  LowRank.add(Share.of(adapter, rows, ROWS), input, together);
                  for (int row : rows) {
                    LowRank.add(Share.of(adapter, new int[] {row}, 1), input, alone);
                  }
                }
                assertThat(together.equal(alone)).isTrue();
                close(together, output, torch.matmul(wide(input), wide(a).t()), b, dtype);
              }
            });
  }

  private static void close(Tensor sum, Tensor before, Tensor down, Tensor b, Dtype dtype) {
    var exact = torch.matmul(down, wide(b).t()).add(wide(before));
    double unit = dtype == Dtype.BF16 ? 0x1p-8 : 0x1p-20;
    var bound = exact.abs().mul(new Scalar(unit)).add(new Scalar(1e-3));
    assertThat(wide(sum).sub(exact).abs().le(bound).all().item_bool()).isTrue();
  }

  private static void fill(Tensor part, Dtype dtype) {
    part.copy_(random(part.size(0), part.size(1), dtype));
  }

  private static Tensor random(long rows, long columns, Dtype dtype) {
    return torch.randn(new long[] {rows, columns}).to(dtype.scalar());
  }

  private static Tensor wide(Tensor tensor) {
    return tensor.to(torch.ScalarType.Double);
  }
}
