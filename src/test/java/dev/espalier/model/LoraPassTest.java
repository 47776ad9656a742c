package dev.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.engine.TinyModel;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What large models are trained by says what libtorch computes and records, though small ones and
/// other processors have [LanePass].
final class LoraPassTest {
  private static final List<Span> SPANS =
      List.of(
          Span.whole(70),
          new Span(33, 0),
          new Span(40, 0),
          new Span(9, 2),
          Span.whole(90),
          Span.whole(10),
          Span.whole(20),
          new Span(5, 5),
          Span.whole(1));
  private static final int LENGTH = SPANS.stream().mapToInt(Span::length).sum();
  private static final double TEMPERATURE = 0.8;

  /// log p of the targets, and the gradients of their sum times factors.
  @SuppressWarnings("ArrayRecordComponent") // nobody compares them
  private record Result(float[] predictions, Map<String, float[]> gradients) {}

  /// A row's tokens, what is wanted of it, and what each log p is multiplied with.
  private record Problem(
      Decoder decoder, Lora lora, Tensor tokens, Tensor at, Tensor targets, Tensor factors) {
    static Problem random(Decoder decoder, Lora lora, Random random) {
      var at = LongStream.range(0, LENGTH).filter(t -> random.nextInt(3) == 0);
      var places = numbers(at);
      long count = places.numel();
      return new Problem(
          decoder,
          lora,
          numbers(random.longs(LENGTH, 0, 96)).unsqueeze(0),
          places,
          numbers(random.longs(count, 0, 96)),
          torch.randn(count));
    }

    private static Tensor numbers(LongStream numbers) {
      return torch.tensor(numbers.toArray(), new TensorOptions(ScalarType.Long));
    }

    private static Tensor positions() {
      return numbers(LongStream.range(0, LENGTH).map(t -> t % 50)).unsqueeze(0);
    }

    Result byHand(Weights weights, Dtype dtype) {
      try (var noGrad = new NoGradGuard()) {
        var pass =
            new LoraPass(
                decoder, weights, lora, dtype, Activations.KEPT, tokens, positions(), SPANS, at);
        var scores = Objects.requireNonNull(pass.scores(targets, TEMPERATURE));
        var alone = Objects.requireNonNull(pass.logProbabilities(targets, TEMPERATURE));
        assertThat(alone.equal(scores.predictions())).isTrue();
        scores.backward().accept(factors);
        return new Result(LoraGradients.floats(scores.predictions()), LoraGradients.take(lora));
      }
    }

    Result recorded(Weights weights, Dtype dtype) {
      var adapters = lora.cast(dtype);
      var hidden =
          decoder.hidden(weights, tokens, positions(), PackedAttention.of(SPANS), adapters);
      var wanted = hidden.view(-1, hidden.size(-1)).index_select(0, at).unsqueeze(0);
      var logits = decoder.logits(weights, wanted, adapters).squeeze(0);
      var all = torch.log_softmax(logits.div(new Scalar(TEMPERATURE)), -1);
      var predictions = all.gather(-1, targets.unsqueeze(1)).squeeze(1);
      predictions.mul(factors).sum().backward();
      return new Result(LoraGradients.floats(predictions), LoraGradients.take(lora));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"qwen3-tiny", "qwen2-tiny"}) // with norms of the heads, with biases
  void inFloat32ItIsTheSame(String model) {
    long seed = new Random().nextLong();
    onTiny(
        model,
        (decoder, weights, lora) -> {
          var problem = Problem.random(decoder, lora, new Random(seed));
          var expected = problem.recorded(weights, Dtype.F32);
          var got = problem.byHand(weights, Dtype.F32);
          assertThat(got.predictions())
              .as("seed %d", seed)
              .containsExactly(expected.predictions(), within(1e-4f));
          LoraGradients.check(got.gradients(), expected.gradients(), "seed " + seed);
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"qwen3-tiny", "qwen2-tiny"})
  void in16BitItIsAsNearToFloat32AsWhatIsRecorded(String model) {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    onTiny(
        model,
        (decoder, weights, lora) -> {
          try (var half = weights.cast(decoder.shape(), Dtype.BF16)) {
            var ratios = new double[15]; // of one row alone it may be twice as much, or half
            for (int i = 0; i < ratios.length; i++) {
              var problem = Problem.random(decoder, lora, random);
              var exact = problem.recorded(weights, Dtype.F32);
              var got = problem.byHand(half, Dtype.BF16);
              var recorded = problem.recorded(half, Dtype.BF16);
              ratios[i] =
                  LoraGradients.off(got.gradients(), exact.gradients())
                      / LoraGradients.off(recorded.gradients(), exact.gradients());
            }
            Arrays.sort(ratios);
            assertThat(ratios[ratios.length / 2]).as("seed %d", seed).isLessThan(1.5);
          }
        });
  }

  private interface Work {
    void with(Decoder decoder, Weights weights, Lora lora);
  }

  private static void onTiny(String model, Work work) {
    var folder = TinyModel.FOLDER.resolveSibling(model);
    var shape = ModelShape.read(folder);
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var weights = Weights.load(folder, shape, Dtype.F32);
                  var lora = Lora.fresh(shape, LoraConfig.ofRank(6), 3)) {
                try (var noGrad = new NoGradGuard()) {
                  lora.parameters()
                      .values()
                      .forEach(it -> it.add_(torch.randn_like(it).mul(new Scalar(0.05))));
                }
                work.with(new Decoder(shape), weights, lora);
              }
            });
  }
}
