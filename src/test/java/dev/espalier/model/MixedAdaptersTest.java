package dev.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class MixedAdaptersTest {
  private static final ModelShape SHAPE =
      ModelShape.read(Path.of("src/test/resources/fixtures/qwen3-tiny"));

  /// Batches of many sizes, over adapters of different ranks that come and go, and over none.
  @Test
  void everyRowGetsWhatItsAdapterAloneGives() {
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var _ = new Scope();
                  var _ = new NoGradGuard()) {
                compare();
              }
              return null;
            });
  }

  private static void compare() {
    var random = new Random(5);
    var loras = new ArrayList<FrozenLora>();
    for (int i = 0; i < 9; i++) loras.add(lora(1 + 3 * (i % 4), i));
    try (var mixed = new MixedAdapters(Dtype.F32)) {
      for (int batch = 0; batch < 40; batch++) {
        var rows = new ArrayList<@Nullable FrozenLora>();
        int most = 1 + random.nextInt(loras.size());
        for (int i = 0; i < 1 + random.nextInt(12); i++) {
          rows.add(random.nextInt(6) == 0 ? null : loras.get(random.nextInt(most)));
        }
        mixed.rows(rows);
        for (var projection : SHAPE.projections()) compare(mixed, rows, projection);
      }
    }
    loras.forEach(FrozenLora::close);
  }

  private static void compare(
      MixedAdapters mixed, List<@Nullable FrozenLora> rows, Projection projection) {
    long in = projection.parts().getFirst().in();
    long out = 0;
    for (long one : projection.outs()) out += one;
    var input = torch.randn(new long[] {rows.size(), 1, in}, Dtype.F32.options());
    var base = torch.randn(new long[] {rows.size(), 1, out}, Dtype.F32.options());
    var together = mixed.apply(projection, input, base.clone());
    for (int i = 0; i < rows.size(); i++) {
      var lora = rows.get(i);
      Tensor alone = base.narrow(0, i, 1);
      if (lora != null) alone = lora.apply(projection, input.narrow(0, i, 1), alone);
      double apart = together.narrow(0, i, 1).sub(alone).abs().max().item_double();
      double size = alone.abs().max().item_double();
      assertThat(apart / size).as("row %d of %s", i, projection.name()).isLessThan(1e-4);
    }
  }

  private static FrozenLora lora(int rank, int seed) {
    try (var lora = Lora.fresh(SHAPE, LoraConfig.ofRank(rank), seed)) {
      for (var parameter : lora.parameters().values()) parameter.data().normal_();
      return lora.frozen(SHAPE, Dtype.F32);
    }
  }
}
