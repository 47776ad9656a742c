package dev.espalier.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SoftmaxTest {
  /// Hands over each row's probabilities, and what libtorch makes of its scores in float64.
  private static void each(Dtype dtype, int count, BiConsumer<Softmax, double[]> check) {
    Device.cpu()
        .run(
            Device.Urgency.TRAIN,
            () -> {
              try (var scope = new Scope()) {
                torch.manual_seed(count);
                var scores = torch.randn(3, count + 5).mul(new Scalar(4));
                var typed = scores.to(dtype.scalar());
                float[] temperatures = {1, 0.5f, 3};
                var rows = Softmax.of(typed, count, temperatures);
                for (int i = 0; i < rows.length; i++) {
                  check.accept(rows[i], expected(typed, i, count, temperatures[i]));
                }
                return null;
              }
            });
  }

  private static double[] expected(Tensor scores, int row, int count, float temperature) {
    var known = scores.select(0, row).narrow(0, 0, count).to(torch.ScalarType.Double);
    var divided = known.div(new Scalar(temperature));
    var out = new double[count];
    torch.softmax(divided, 0).contiguous().data_ptr_double().get(out);
    return out;
  }

  @ParameterizedTest
  @CsvSource({"F32,4096", "F32,100", "F32,7", "BF16,4001"})
  void isWhatLibtorchSays(Dtype dtype, int count) {
    each(
        dtype,
        count,
        (softmax, expected) -> {
          var all = softmax.probabilities();
          int best = 0;
          for (int i = 0; i < count; i++) {
            assertThat(all[i]).isCloseTo(expected[i], within(1e-6 * expected[i] + 1e-12));
            assertThat((double) softmax.logprob(i)).isCloseTo(Math.log(expected[i]), within(1e-5));
            if (expected[i] > expected[best]) best = i;
          }
          assertThat(softmax.best()).isEqualTo(best);
        });
  }

  @ParameterizedTest
  @CsvSource({"F32,4096,20", "F32,7,20", "BF16,70,5", "F32,100,1"})
  void theBestComeInOrder(Dtype dtype, int count, int many) {
    each(
        dtype,
        count,
        (softmax, expected) -> {
          var sorted =
              IntStream.range(0, count)
                  .boxed()
                  .sorted((one, other) -> Double.compare(expected[other], expected[one]))
                  .limit(many)
                  .mapToInt(Integer::intValue)
                  .toArray();
          assertThat(softmax.best(many)).isEqualTo(sorted);
        });
  }

  @ParameterizedTest
  @CsvSource({"F32,4096", "F32,100", "BF16,70"})
  void aDrawIsWhereTheSumExceedsItsPart(Dtype dtype, int count) {
    each(
        dtype,
        count,
        (softmax, expected) -> {
          double before = 0;
          for (int i = 0; i < count; i++) {
            double middle = before + expected[i] / 2;
            if (expected[i] > 1e-4) assertThat(softmax.at(middle)).isEqualTo(i);
            before += expected[i];
          }
          assertThat(softmax.at(Math.nextDown(1.0))).isLessThan(count);
        });
  }

  @ParameterizedTest
  @CsvSource({"F32,200"})
  void theBestOfSomeHasABit(Dtype dtype, int count) {
    each(
        dtype,
        count,
        (softmax, expected) -> {
          long[] allowed = {0, 1L << 3 | 1L << 9, 0, 1L << 1};
          int best = 64 + 3;
          for (int i : new int[] {64 + 9, 192 + 1}) if (expected[i] > expected[best]) best = i;
          assertThat(softmax.best(allowed)).isEqualTo(best);
        });
  }
}
