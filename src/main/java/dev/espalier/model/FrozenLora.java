package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.LowRank;
import dev.espalier.tensor.Scope;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// An adapter that only computes: joined and cast once.
public final class FrozenLora implements Adapters, AutoCloseable {
  private static final int FEW = 64; // rows, up to which libtorch's products are no faster

  private final Map<String, LowRank> pairs = new HashMap<>();
  private volatile boolean closed;

  /// A copy of an adapter as it is now, for a model of that shape.
  FrozenLora(Lora lora, ModelShape shape, Dtype dtype) {
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      for (var projection : shape.projections()) {
        var pair = LoraPair.join(projection, lora.sites(), dtype);
        if (pair == null) continue;
        pairs.put(projection.name(), lowRank(projection, lora, pair));
      }
    }
  }

  private static LowRank lowRank(Projection projection, Lora lora, LoraPair pair) {
    var ranks =
        projection.parts().stream()
            .mapToInt(linear -> {
              var site = lora.sites().get(linear.name());
              return site == null ? 0 : site.rank();
            })
            .toArray();
    var outs = Arrays.stream(projection.outs()).mapToInt(Math::toIntExact).toArray();
    return new LowRank(pair.a(), pair.b(), ranks, outs);
  }

  /// The matrices of a projection; null where the adapter changes none of its layers.
  @Nullable LowRank pair(String projection) {
    return pairs.get(projection);
  }

  @Override
  public Tensor apply(Projection projection, Tensor input, Tensor output) {
    var pair = pairs.get(projection.name());
    if (pair == null) return output;
    int rows = Math.toIntExact(input.numel() / input.size(-1));
    if (rows <= FEW) {
      var all = IntStream.range(0, rows).toArray();
      LowRank.add(LowRank.Share.of(pair, all, rows), input.contiguous(), output);
    } else {
      pair.addAll(input.reshape(-1, input.size(-1)), output.view(-1, output.size(-1)));
    }
    return output;
  }

  /// What its matrices take.
  public long bytes() {
    return pairs.values().stream().mapToLong(LowRank::bytes).sum();
  }

  /// Whether it is no more.
  public boolean closed() {
    return closed;
  }

  @Override
  public void close() {
    closed = true;
    pairs.values().forEach(LowRank::close);
  }
}
