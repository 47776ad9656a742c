package dev.espalier.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.engine.BaseModel;
import dev.espalier.engine.TinyModel;
import dev.espalier.model.Activations;
import dev.espalier.model.LoraGradients;
import dev.espalier.model.Peft;
import dev.espalier.model.Span;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Gradients by hand are those that libtorch records, in rows of several chunks.
final class PassTest {
  @TempDir private Path folder = Path.of("");

  private static Row row(Random random) {
    var spans = new ArrayList<Span>();
    int length = 0;
    while (length < 700) {
      int parent = spans.size();
      spans.add(Span.whole(20 + random.nextInt(150)));
      length += spans.getLast().length();
      for (int child = random.nextInt(6); child > 0; child--) {
        spans.add(new Span(1 + random.nextInt(70), parent));
        length += spans.getLast().length();
      }
    }
    var weights = new float[length];
    for (int t = 1; t < length; t++) weights[t] = random.nextInt(3) == 0 ? 1 : 0;
    int start = 0;
    for (var span : spans) {
      if (span.parent() < 0) weights[start] = 0; // nothing comes before it
      start += span.length();
    }
    return new Row(random.ints(length, 0, 96).toArray(), weights, spans);
  }

  @Test
  void gradientsByHandAreTheRecordedOnes() {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    try (var base = TinyModel.load(folder)) {
      for (int round = 0; round < 5; round++) {
        var row = row(random);
        Device.cpu().run(Urgency.TRAIN, () -> compare(base, row, "seed " + seed));
      }
    }
  }

  /// Of weights in 16 bit, whatever is computed in: gradients are as near to those of float32 as
  /// the recorded ones of 16 bit are.
  @Test
  void gradientsIn16BitAreAsGoodAsRecordedOnes() {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    var ratios = new double[15]; // of one row alone it may be twice as much, or half
    try (var base = TinyModel.load(folder)) {
      for (int i = 0; i < ratios.length; i++) {
        var row = row(random);
        ratios[i] = Device.cpu().run(Urgency.TRAIN, () -> in16Bit(base, row));
      }
    }
    Arrays.sort(ratios);
    assertThat(ratios[ratios.length / 2]).as("seed %d", seed).isLessThan(1.5);
  }

  private static double in16Bit(BaseModel base, Row row) {
    try (var lora = Peft.load(TinyModel.FOLDER.resolve("lora-all-linear"), base.shape());
        var half = base.weights().cast(base.shape(), Dtype.BF16)) {
      lora.parameters().values().forEach(it -> it.set_requires_grad(true));
      var batch = Batch.of(row);
      var factors = torch.randn(batch.trained());
      var wide = new LoraLearner(base.weights(), lora, Dtype.F32);
      wide.pass(base.decoder(), batch).backward().accept(factors);
      var exact = LoraGradients.take(lora);
      var learner = new LoraLearner(half, lora, Dtype.BF16);
      Pass.recorded(learner.predict(base.decoder(), batch)).backward().accept(factors);
      double recorded = LoraGradients.off(LoraGradients.take(lora), exact);
      learner.pass(base.decoder(), batch).backward().accept(factors);
      return LoraGradients.off(LoraGradients.take(lora), exact) / recorded;
    }
  }

  private static void compare(BaseModel base, Row row, String which) {
    try (var lora = Peft.load(TinyModel.FOLDER.resolve("lora-all-linear"), base.shape())) {
      lora.parameters().values().forEach(it -> it.set_requires_grad(true));
      var learner = new LoraLearner(base.weights(), lora, Dtype.F32);
      var batch = Batch.of(row);
      var factors = torch.randn(batch.trained());
      var recorded = Pass.recorded(learner.predict(base.decoder(), batch));
      recorded.backward().accept(factors);
      close(
          which,
          learner.infer(base.decoder(), batch),
          LoraGradients.floats(recorded.predictions()),
          1e-4f);
      var expected = LoraGradients.take(lora);
      for (int most : new int[] {(int) batch.trained(), 50}) {
        compare(base, learner, batch, most, factors, recorded, expected, which);
      }
      alone(base, learner, row, LoraGradients.floats(recorded.predictions()), which);
    }
  }

  private static void compare(
      BaseModel base,
      LoraLearner learner,
      Batch batch,
      int most,
      Tensor factors,
      Pass recorded,
      Map<String, float[]> expected,
      String which) {
    var lora = learner.adapter();
    var blocks =
        Pass.blocks(base.weights(), lora, Dtype.F32, Activations.KEPT, base.decoder(), batch);
    var byHand =
        most == batch.trained()
            ? learner.pass(base.decoder(), batch)
            : Pass.ofLora(learner, base.decoder(), batch, blocks, most);
    byHand.backward().accept(factors);
    close(which, byHand.predictions(), LoraGradients.floats(recorded.predictions()), 1e-4f);
    LoraGradients.check(LoraGradients.take(lora), expected, which);
  }

  /// Every span with what it continues, as a sequence of its own.
  private static void alone(
      BaseModel base, LoraLearner learner, Row row, float[] together, String which) {
    int start = 0;
    int n = 0;
    var starts = new ArrayList<Integer>();
    for (var span : row.spans()) {
      starts.add(start);
      int parent = span.parent();
      int before = parent < 0 ? 0 : row.spans().get(parent).length();
      var ids = new int[before + span.length()];
      var weights = new float[ids.length];
      if (parent >= 0) System.arraycopy(row.ids(), starts.get(parent), ids, 0, before);
      System.arraycopy(row.ids(), start, ids, before, span.length());
      System.arraycopy(row.weights(), start, weights, before, span.length());
      start += span.length();
      var one = new Row(ids, weights, List.of(Span.whole(ids.length)));
      if (one.trained() == 0) continue;
      var expected = LoraGradients.floats(learner.predict(base.decoder(), Batch.of(one)));
      assertThat(Arrays.copyOfRange(together, n, n + expected.length))
          .as("%s, span from %d", which, starts.getLast())
          .containsExactly(expected, within(1e-4f));
      n += expected.length;
    }
    assertThat(n).isEqualTo(together.length);
  }

  private static void close(String which, Tensor got, float[] expected, float by) {
    assertThat(LoraGradients.floats(got)).as(which).containsExactly(expected, within(by));
  }
}
