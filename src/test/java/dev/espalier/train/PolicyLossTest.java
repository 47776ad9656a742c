package dev.espalier.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import dev.espalier.train.PolicyLoss.Clip;
import dev.espalier.train.PolicyLoss.Kl;
import dev.espalier.train.PolicyLoss.Ratio;
import dev.espalier.train.PolicyLoss.Tokens;
import java.util.Random;
import java.util.stream.Stream;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every choice of the loss against its formula in plain numbers, and its gradient against finite
/// differences of that formula.
final class PolicyLossTest {
  private static final int[] SEQUENCE = {0, 0, 0, 1, 1, 1, 1, 2};

  private record Case(float[] logprobs, Tokens tokens) {}

  static Stream<PolicyLoss> losses() {
    var clips = Stream.of(new Clip.Range(0.2, 0.28), new Clip.Dual(0.2, 0.2, 3));
    return clips.flatMap(clip ->
        Stream.of(Ratio.values())
            .flatMap(ratio ->
                Stream.of(Kl.values())
                    .flatMap(kl ->
                        Stream.of(0.0, 0.3).map(beta -> new PolicyLoss(ratio, clip, kl, beta)))));
  }

  private static Case draw(Random random) {
    int n = SEQUENCE.length;
    var logprobs = new float[n];
    var sampled = new float[n];
    var reference = new float[n];
    var advantages = new float[n];
    var weights = new float[n];
    for (int i = 0; i < n; i++) {
      logprobs[i] = -2 * random.nextFloat();
      sampled[i] = logprobs[i] + 0.8f * (random.nextFloat() - 0.5f);
      reference[i] = logprobs[i] + 0.8f * (random.nextFloat() - 0.5f);
      advantages[i] = 4 * (random.nextFloat() - 0.5f);
      weights[i] = 0.1f + random.nextFloat();
    }
    return new Case(logprobs, new Tokens(sampled, reference, advantages, weights, SEQUENCE));
  }

  /// The formula, token by token.
  private static double formula(PolicyLoss loss, double[] logprobs, Tokens tokens) {
    double sum = 0;
    for (int i = 0; i < logprobs.length; i++) {
      double log = logprobs[i] - tokens.sampled()[i];
      if (loss.ratio() == Ratio.SEQUENCE) {
        log = 0;
        int length = 0;
        for (int j = 0; j < logprobs.length; j++) {
          if (SEQUENCE[j] != SEQUENCE[i]) continue;
          log += logprobs[j] - tokens.sampled()[j];
          length++;
        }
        log /= length;
      }
      double rho = Math.exp(log);
      double a = tokens.advantages()[i];
      double surrogate =
          switch (loss.clip()) {
            case Clip.Range(var low, var high) -> clipped(rho, a, low, high);
            case Clip.Dual(var low, var high, var most) ->
                a < 0 ? Math.max(clipped(rho, a, low, high), most * a) : clipped(rho, a, low, high);
            case Clip.Weight _ -> throw new IllegalArgumentException("its gradient is its own");
          };
      double delta = tokens.reference()[i] - logprobs[i];
      double kl =
          switch (loss.kl()) {
            case K1 -> -delta;
            case K2 -> delta * delta / 2;
            case K3 -> Math.exp(delta) - delta - 1;
            case WEIGHTED_K3 ->
                Math.exp(logprobs[i] - tokens.sampled()[i]) * (Math.exp(delta) - delta - 1);
          };
      sum += tokens.weights()[i] * (-surrogate + loss.beta() * kl);
    }
    return sum;
  }

  private static double clipped(double rho, double a, double low, double high) {
    return Math.min(rho * a, Math.min(Math.max(rho, 1 - low), 1 + high) * a);
  }

  private static double[] doubles(float[] numbers) {
    var out = new double[numbers.length];
    for (int i = 0; i < out.length; i++) out[i] = numbers[i];
    return out;
  }

  /// The loss and its gradient, as training computes them.
  private static float[] computed(PolicyLoss loss, Case it) {
    return Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              var logprobs = torch.tensor(it.logprobs(), Dtype.F32.options());
              logprobs.set_requires_grad(true);
              var value = loss.of(logprobs, it.tokens());
              value.backward();
              var out = new float[it.logprobs().length + 1];
              logprobs.grad().data_ptr_float().get(out, 0, it.logprobs().length);
              out[out.length - 1] = value.item_float();
              return out;
            });
  }

  @ParameterizedTest
  @MethodSource("losses")
  void isItsFormulaAndSoIsItsGradient(PolicyLoss loss) {
    long seed = new Random().nextLong();
    var it = draw(new Random(seed));
    var computed = computed(loss, it);
    var at = doubles(it.logprobs());
    assertThat((double) computed[at.length])
        .as("seed %d", seed)
        .isCloseTo(formula(loss, at, it.tokens()), within(1e-5));
    double h = 1e-6;
    for (int i = 0; i < at.length; i++) {
      var up = at.clone();
      var down = at.clone();
      up[i] += h;
      down[i] -= h;
      double slope = (formula(loss, up, it.tokens()) - formula(loss, down, it.tokens())) / (2 * h);
      assertThat((double) computed[i])
          .as("seed %d, token %d", seed, i)
          .isCloseTo(slope, within(1e-4));
    }
  }

  /// CISPO: every token keeps its gradient, −w · min(ρ, most) · A, however far it moved.
  @Test
  void aWeightIsHeldConstant() {
    long seed = new Random().nextLong();
    var it = draw(new Random(seed));
    var loss = new PolicyLoss(Ratio.TOKEN, new Clip.Weight(1.1), Kl.K3, 0);
    var computed = computed(loss, it);
    for (int i = 0; i < it.logprobs().length; i++) {
      double rho = Math.exp((double) it.logprobs()[i] - it.tokens().sampled()[i]);
      double expected =
          -it.tokens().weights()[i] * Math.min(rho, 1.1) * it.tokens().advantages()[i];
      assertThat((double) computed[i]).as("seed %d", seed).isCloseTo(expected, within(1e-5));
    }
  }

  @Test
  void nonsenseIsRefused() {
    assertThatThrownBy(() -> new PolicyLoss(Ratio.TOKEN, new Clip.Range(-0.1, 0.2), Kl.K3, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new PolicyLoss(Ratio.TOKEN, new Clip.Dual(0.2, 0.2, 0.5), Kl.K3, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new PolicyLoss(Ratio.TOKEN, new Clip.Range(0.2, 0.2), Kl.K3, -1))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
