package dev.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.chat.Penalties;
import dev.espalier.chat.Sampling;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Softmax;
import java.util.List;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Penalties against their formula, on the logits 1, 0.75 and 0.
final class SamplerTest {
  private static final float[] LOGITS = {1, 0.75f, 0};

  private static Softmax row(double temperature) {
    return Device.cpu()
        .run(
            Urgency.DECODE,
            () -> {
              var logits = torch.tensor(LOGITS, Dtype.F32.options()).unsqueeze(0);
              float[] each = {temperature == 0 ? 1 : (float) temperature};
              return Softmax.of(logits, LOGITS.length, each)[0];
            });
  }

  private static Sampler sampler(double temperature, Penalties penalties, long seed) {
    return new Sampler(new Sampling(temperature, 1, 0, 0, 9, seed, List.of(), penalties, -1));
  }

  /// 1, 0.75 and 0; 0.5, 0.75 and 0; 0.5, 0.25 and 0; 0.25, 0.25 and 0; 0, 0.25 and 0.
  @Test
  void greedySamplingTakesWhatIsLikeliestThen() {
    var row = row(0);
    var sampler = sampler(0, new Penalties(0.25, 0.25), 0);
    int[] expected = {0, 1, 0, 0, 1};
    for (int id : expected) assertThat(sampler.draw(row, null).id()).isEqualTo(id);
  }

  /// At a temperature at which a probability of nothing is left of all but one.
  @Test
  void aPenaltyIsMoreThanALowTemperature() {
    var row = row(1e-3);
    var sampler = sampler(1e-3, new Penalties(0, 2), 0);
    int[] expected = {0, 1, 2};
    for (int id : expected) assertThat(sampler.draw(row, null).id()).isEqualTo(id);
  }

  @Test
  void withoutPenaltiesItTakesTheSameAgain() {
    var row = row(0);
    var sampler = sampler(0, Penalties.NONE, 0);
    for (int i = 0; i < 5; i++) assertThat(sampler.draw(row, null).id()).isZero();
  }

  /// What is not allowed does not come, however little it costs.
  @Test
  void amongThoseThatAreAllowed() {
    var row = row(0);
    var sampler = sampler(0, new Penalties(0, 2), 0);
    long[] allowed = {0b110};
    int[] expected = {1, 2, 1};
    for (int id : expected) assertThat(sampler.draw(row, allowed).id()).isEqualTo(id);
  }

  /// How often each token follows the first one.
  @ParameterizedTest
  @CsvSource({"1, 1", "0.5, 1", "1, 0.9"})
  void aDrawHasThePenalisedProbabilities(double temperature, double topP) {
    var row = row(temperature);
    var penalties = new Penalties(0.5, 0.25);
    var counts = new double[LOGITS.length];
    double sum = 0;
    for (int seed = 0; seed < 20_000; seed++) {
      var sampling =
          new Sampling(temperature, topP, 0, 0, 9, (long) seed, List.of(), penalties, -1);
      var sampler = new Sampler(sampling);
      if (sampler.draw(row, null).id() != 0) continue;
      counts[sampler.draw(row, null).id()]++;
      sum++;
    }
    double[] weights = {
      Math.exp((1 - 0.75) / temperature), Math.exp(0.75 / temperature), Math.exp(0)
    };
    double total = weights[0] + weights[1] + weights[2];
    if (topP < 1) assertThat(weights[0] + weights[1]).isLessThan(topP * total);
    for (int i = 0; i < counts.length; i++) {
      assertThat(counts[i] / sum).isCloseTo(weights[i] / total, within(0.02));
    }
  }
}
