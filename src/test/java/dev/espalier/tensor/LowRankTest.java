package dev.espalier.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.LowRank.Layer;
import dev.espalier.tensor.LowRank.Share;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What an adapter makes of rows: alone, several at once, and by libtorch.
final class LowRankTest {
  private static final int ROWS = 22; // five times four at once, and two

  /// Ranks and widths that fill vectors, and that do not; a layer that the adapter does not change.
  /// Where no tokens side by side are multiplied, by the processor's tiles, if it has some.
  @ParameterizedTest
  @CsvSource({
    "F32,true,256,16,16,128,64",
    "BF16,true,256,16,16,128,64",
    "BF16,true,64,16,0,200,48",
    "F32,true,38,3,5,70,9",
    "BF16,true,38,3,5,70,10",
    "BF16,true,20,1,2,6,4",
    "BF16,false,256,16,16,1280,64",
    "BF16,false,64,16,0,200,48",
    "BF16,false,38,15,17,70,10",
    "BF16,false,20,1,2,6,4",
    "BF16,false,7,3,2,8,4"
  })
  void rowsHaveTheSameBitsAloneAndTogether(
      Dtype dtype, boolean lanes, int in, int rank, int otherRank, int out, int otherOut) {
    assumeTrue(lanes || Brgemm.here(), "this processor has no tiles");
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var noGrad = new NoGradGuard()) {
                torch.manual_seed(in + rank);
                var layers =
                    List.of(
                        new Layer(random(rank, in, dtype), random(out, rank, dtype)),
                        new Layer(
                            random(otherRank, in, dtype), random(otherOut, otherRank, dtype)));
                var input = random(ROWS, in, dtype);
                var together = random(ROWS, out + otherOut, dtype);
                var alone = random(ROWS, out + otherOut, dtype);
                try (var adapter = LowRank.of(layers, lanes)) {
                  var rows = IntStream.range(0, ROWS).toArray();
                  LowRank.put(Share.of(adapter, rows, ROWS), Rows.at(input), Rows.at(together));
                  for (int row : rows) {
                    LowRank.put(
                        Share.of(adapter, new int[] {row}, 1), Rows.at(input), Rows.at(alone));
                  }
                  many(adapter, layers, input);
                }
                assertThat(together.equal(alone)).isTrue();
                long column = 0;
                for (var layer : layers) {
                  long outs = layer.b().size(0);
                  close(together.narrow(1, column, outs), input, layer, !lanes);
                  column += outs;
                }
              }
            });
  }

  /// So many that libtorch's products take them, where they do.
  private static void many(LowRank adapter, List<Layer> layers, Tensor input) {
    var rows = torch.cat(new TensorVector(input, input, input, input), 0);
    long width = 0;
    for (var layer : layers) width += layer.b().size(0);
    var sums = random(4L * ROWS, width, Dtype.of(input));
    adapter.putAll(rows, sums);
    long column = 0;
    for (var layer : layers) {
      long outs = layer.b().size(0);
      close(sums.narrow(1, column, outs), rows, layer, true);
      column += outs;
    }
  }

  /// @param rounds whether what lies between the two products is rounded
  private static void close(Tensor sums, Tensor input, Layer layer, boolean rounds) {
    var b = wide(layer.b());
    var down = torch.matmul(wide(input), wide(layer.a()).t());
    var exact = torch.matmul(down, b.t());
    double unit = Dtype.of(sums) == Dtype.BF16 ? 0x1p-8 : 0x1p-20;
    var bound = exact.abs().mul(new Scalar(unit)).add(new Scalar(1e-3));
    if (rounds) bound.add_(torch.matmul(down.abs(), b.abs().t()).mul(new Scalar(unit)));
    assertThat(wide(sums).sub(exact).abs().le(bound).all().item_bool()).isTrue();
  }

  private static Tensor random(long rows, long columns, Dtype dtype) {
    return torch.randn(new long[] {rows, columns}).to(dtype.scalar());
  }

  private static Tensor wide(Tensor tensor) {
    return tensor.to(torch.ScalarType.Double);
  }
}
