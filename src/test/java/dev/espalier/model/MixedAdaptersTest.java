package dev.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class MixedAdaptersTest {
  /// Less than what is read together, more, and as much with some that is left.
  private static final List<ModelShape> SHAPES =
      List.of(
          new ModelShape(
              "qwen3",
              1,
              72,
              5,
              1,
              24,
              200,
              64,
              true,
              false,
              true,
              1e-6,
              1e4,
              new RopeScaling.None(),
              64),
          ModelShape.read(Path.of("src/test/resources/fixtures/qwen3-tiny")),
          ModelShape.read(Path.of("models/espalier-6m")));

  /// Batches of many sizes, over adapters of different ranks that come and go, and over none.
  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16"})
  void everyRowGetsWhatItsAdapterAloneGives(Dtype dtype) {
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var _ = new Scope();
                  var _ = new NoGradGuard()) {
                for (var shape : SHAPES) compare(shape, dtype);
              }
              return null;
            });
  }

  /// An adapter as it was made and as it computes.
  private record Adapter(Lora lora, FrozenLora frozen) {
    static Adapter of(ModelShape shape, int rank, int seed, Dtype dtype) {
      var lora = Lora.fresh(shape, LoraConfig.ofRank(rank), seed);
      for (var parameter : lora.parameters().values()) parameter.data().normal_();
      return new Adapter(lora, lora.frozen(shape, dtype));
    }

    void close() {
      lora.close();
      frozen.close();
    }
  }

  private static void compare(ModelShape shape, Dtype dtype) {
    var random = new Random(5);
    var adapters = new ArrayList<Adapter>();
    for (int i = 0; i < 9; i++) adapters.add(Adapter.of(shape, 1 + 3 * (i % 4), i, dtype));
    for (int batch = 0; batch < 40; batch++) {
      var rows = new ArrayList<@Nullable Adapter>();
      int most = 1 + random.nextInt(adapters.size());
      for (int i = 0; i < 1 + random.nextInt(24); i++) {
        rows.add(random.nextInt(6) == 0 ? null : adapters.get(random.nextInt(most)));
      }
      var each = new ArrayList<@Nullable FrozenLora>();
      for (var row : rows) each.add(row == null ? null : row.frozen());
      var mixed = new MixedAdapters(each);
      for (var projection : shape.projections()) compare(mixed, rows, projection, dtype);
    }
    var many = Collections.nCopies(70, adapters.getFirst()); // products take what is so many
    for (var projection : shape.projections())
      compare(adapters.getFirst().frozen(), many, projection, dtype);
    adapters.forEach(Adapter::close);
  }

  private static void compare(
      Adapters together,
      List<? extends @Nullable Adapter> rows,
      Projection projection,
      Dtype dtype) {
    long in = projection.parts().getFirst().in();
    long out = 0;
    for (long one : projection.outs()) out += one;
    var input = torch.randn(new long[] {rows.size(), 1, in}).to(dtype.scalar());
    var base = torch.randn(new long[] {rows.size(), 1, out}).to(dtype.scalar());
    var result = together.apply(projection, input, base.clone());
    for (int i = 0; i < rows.size(); i++) {
      var adapter = rows.get(i);
      Tensor alone = base.narrow(0, i, 1);
      if (adapter != null)
        alone = alone(adapter.lora(), projection, input.narrow(0, i, 1), alone, dtype);
      double apart = result.narrow(0, i, 1).sub(alone).abs().max().item_double();
      double size = alone.abs().max().item_double();
      double summed =
          adapter == null ? 0 : summed(adapter.lora(), projection, input.narrow(0, i, 1), dtype);
      // two units in the last place of the sum, what a rounded A·x is off, and what of float32's
      // sums is left where large numbers cancel each other
      double most = (dtype == Dtype.F32 ? 1e-4 : 0.02) * size + 1e-7 * summed;
      assertThat(apart).as("row %d of %s", i, projection.name()).isLessThan(most);
    }
  }

  /// By libtorch, in float64, from what the adapter was made of.
  private static Tensor alone(
      Lora lora, Projection projection, Tensor input, Tensor base, Dtype dtype) {
    var pair = LoraPair.join(projection, lora.sites(), dtype);
    if (pair == null) return base;
    var wide = torch.ScalarType.Double;
    var down = torch.matmul(input.to(wide), pair.a().to(wide).t());
    return base.to(wide).add(torch.matmul(down, pair.b().to(wide).t())).to(base.scalar_type());
  }

  /// The largest sum of what is added up for a number, all taken as positive.
  private static double summed(Lora lora, Projection projection, Tensor input, Dtype dtype) {
    var pair = LoraPair.join(projection, lora.sites(), dtype);
    if (pair == null) return 0;
    var wide = torch.ScalarType.Double;
    var down = torch.matmul(input.to(wide).abs(), pair.a().to(wide).abs().t());
    return torch.matmul(down, pair.b().to(wide).abs().t()).max().item_double();
  }
}
