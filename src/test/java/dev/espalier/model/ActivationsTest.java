package dev.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.engine.BaseModel;
import dev.espalier.engine.TinyModel;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is computed again on the way back has the bits of what was kept.
final class ActivationsTest {
  private static final List<Span> SPANS =
      List.of(Span.whole(70), new Span(33, 0), new Span(40, 0), Span.whole(90));
  private static final int LENGTH = SPANS.stream().mapToInt(Span::length).sum();

  @TempDir private Path folder = Path.of("");

  @Test
  void recomputedGradientsHaveTheSameBits() {
    try (var base = TinyModel.load(folder)) {
      for (var dtype : List.of(Dtype.F32, Dtype.BF16)) {
        Device.cpu().run(Urgency.TRAIN, () -> compare(base, dtype));
      }
    }
  }

  private static void compare(BaseModel base, Dtype dtype) {
    try (var noGrad = new NoGradGuard();
        var lora = Peft.load(TinyModel.FOLDER.resolve("lora-all-linear"), base.shape());
        var weights = base.weights().cast(base.shape(), dtype)) {
      var shape = base.shape();
      var kept = new Passes(base.decoder(), weights, lora, dtype, Activations.KEPT);
      var recomputed = new Passes(base.decoder(), weights, lora, dtype, Activations.RECOMPUTED);
      same(lora, kept.byRows(), recomputed.byRows());
      if (BlockPass.sideBySide(shape, Dtype.F32)) {
        same(lora, kept.byLanes(), recomputed.byLanes());
      }
    }
  }

  /// The ways there are through the blocks.
  private record Passes(
      Decoder decoder, Weights weights, Lora lora, Dtype dtype, Activations activations) {
    private static Tensor numbers(LongStream numbers) {
      return torch.tensor(numbers.toArray(), new TensorOptions(ScalarType.Long));
    }

    private static Tensor tokens() {
      return numbers(LongStream.range(0, LENGTH).map(t -> t * 31 % 96)).unsqueeze(0);
    }

    private static Tensor positions() {
      return numbers(LongStream.range(0, LENGTH).map(t -> t % 50)).unsqueeze(0);
    }

    private static LongStream wanted() {
      return LongStream.range(0, LENGTH).filter(t -> t % 3 == 1);
    }

    BlockPass byRows() {
      var at = numbers(wanted());
      return new LoraPass(
          decoder, weights, lora, dtype, activations, tokens(), positions(), SPANS, at);
    }

    BlockPass byLanes() {
      var at = wanted().mapToInt(Math::toIntExact).toArray();
      return new LanePass(
          decoder, weights, lora, dtype, activations, tokens(), positions(), SPANS, at);
    }
  }

  private static void same(Lora lora, BlockPass kept, BlockPass recomputed) {
    var hidden = kept.hidden();
    assertThat(recomputed.hidden().equal(hidden)).isTrue();
    var gradient = torch.randn(hidden.sizes().vec().get());
    kept.backward(gradient);
    var expected = LoraGradients.take(lora);
    recomputed.backward(gradient);
    var got = LoraGradients.take(lora);
    expected.forEach((name, numbers) -> {
      assertThat(numbers).as(name).isNotEqualTo(new float[numbers.length]);
      assertThat(got.get(name)).as(name).isEqualTo(numbers);
    });
  }
}
