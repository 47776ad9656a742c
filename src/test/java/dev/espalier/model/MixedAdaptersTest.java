package dev.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Matrix;
import dev.espalier.tensor.Scope;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class MixedAdaptersTest {
  private static final torch.ScalarType WIDE = torch.ScalarType.Double;

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
      // what B adds is small beside the base's part, and would be lost with it rounded before
      lora.parameters()
          .forEach((name, it) -> {
            var scale = new Scalar(name.contains("lora_B") ? 0.01 : 1);
            it.data().normal_().mul_(scale);
          });
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
      for (var projection : shape.projections(0)) compare(mixed, rows, projection, dtype);
    }
    var packed = new ArrayList<@Nullable Adapter>(); // so many that products take them, and few
    packed.addAll(Collections.nCopies(70, adapters.getFirst()));
    packed.addAll(Collections.nCopies(5, null));
    packed.addAll(Collections.nCopies(9, adapters.getLast()));
    var runs =
        PackedAdapters.of(
            new int[] {70, 5, 9},
            Arrays.asList(adapters.getFirst().frozen(), null, adapters.getLast().frozen()));
    for (var projection : shape.projections(0)) compare(runs, packed, projection, dtype);
    adapters.forEach(Adapter::close);
  }

  private static void compare(
      Adapters together,
      List<? extends @Nullable Adapter> rows,
      Projection projection,
      Dtype dtype) {
    long in = projection.parts().getFirst().in();
    long out = Arrays.stream(projection.outs()).sum();
    var input = torch.randn(new long[] {1, rows.size(), in}).to(dtype.scalar());
    var weight = torch.randn(new long[] {out, in}).to(dtype.scalar());
    var bias = torch.randn(out).to(dtype.scalar());
    var base = new BaseLinear(weight, bias, null);
    var result = together.apply(projection, input, base).to(WIDE);
    var ofBase = torch.matmul(input.to(WIDE), weight.to(WIDE).t());
    double unit = dtype == Dtype.F32 ? 0x1p-22 : 0x1p-8;
    for (int i = 0; i < rows.size(); i++) {
      var adapter = rows.get(i);
      var exact = ofBase.narrow(1, i, 1);
      var most = torch.full(new long[] {1}, new Scalar(1e-4)).to(WIDE); // what float32 sums lose
      var pair = adapter == null ? null : LoraPair.join(projection, adapter.lora().sites(), dtype);
      if (pair != null) {
        var x = input.narrow(1, i, 1).to(WIDE);
        var a = pair.a().to(WIDE).t();
        var b = pair.b().to(WIDE).t();
        var down = torch.matmul(x, a);
        exact = exact.add(torch.matmul(down, b));
        // A·x is rounded, and B·A·x
        most.add_(torch.matmul(down.abs(), b.abs()).max().mul(new Scalar(2 * unit)));
        var summed = torch.matmul(torch.matmul(x.abs(), a.abs()), b.abs());
        most.add_(summed.max().mul(new Scalar(0x1p-23)));
      }
      // half a unit of what is rounded once; libtorch adds a bias to what it has rounded
      if (!Matrix.multiplies(dtype)) most = most.add(exact.abs().mul(new Scalar(unit)));
      exact = exact.add(bias.to(WIDE));
      most = most.add(exact.abs().mul(new Scalar(unit)));
      var apart = result.narrow(1, i, 1).sub(exact).abs();
      assertThat(apart.le(most).all().item_bool())
          .as("row %d of %s", i, projection.name())
          .isTrue();
    }
  }
}
