package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.LowRank;
import dev.espalier.tensor.Products;
import dev.espalier.tensor.Scope;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// An adapter that only computes: joined and cast once.
public final class FrozenLora implements Adapters, AutoCloseable {
  private static final int FEW = 64; // rows, up to which libtorch's products are no faster

  /// The matrices of a projection.
  ///
  /// @param a (R, in)
  /// @param b (R, out), scaled
  /// @param rows the same for rows that have an adapter each
  record Pair(Tensor a, Tensor b, LowRank rows) {}

  private final Map<String, Pair> pairs = new HashMap<>();
  private volatile boolean closed;

  /// A copy of an adapter as it is now, for a model of that shape.
  FrozenLora(Lora lora, ModelShape shape, Dtype dtype) {
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      for (var projection : shape.projections()) {
        var pair = LoraPair.join(projection, lora.sites(), dtype);
        if (pair == null) continue;
        var a = scope.keep(own(pair.a()));
        var b = scope.keep(own(pair.b().t().contiguous()));
        pairs.put(projection.name(), new Pair(a, b, rows(projection, lora, a, b)));
      }
    }
  }

  private static LowRank rows(Projection projection, Lora lora, Tensor a, Tensor b) {
    var ranks =
        projection.parts().stream()
            .mapToInt(linear -> {
              var site = lora.sites().get(linear.name());
              return site == null ? 0 : site.rank();
            })
            .toArray();
    var outs = Arrays.stream(projection.outs()).mapToInt(Math::toIntExact).toArray();
    return new LowRank(a, b, ranks, outs);
  }

  /// Not the masters themselves, where they are of that type already.
  private static Tensor own(Tensor tensor) {
    return tensor.detach().clone();
  }

  /// The matrices of a projection; null where the adapter changes none of its layers.
  @Nullable Pair pair(String projection) {
    return pairs.get(projection);
  }

  @Override
  public Tensor apply(Projection projection, Tensor input, Tensor output) {
    var pair = pairs.get(projection.name());
    if (pair == null) return output;
    long count = input.numel() / input.size(-1);
    if (count <= FEW) {
      LowRank.add(Collections.nCopies((int) count, pair.rows()), input.contiguous(), output);
      return output;
    }
    var inner = Products.linear(input.reshape(-1, input.size(-1)), pair.a());
    Products.addmm(output.view(-1, output.size(-1)), inner, pair.b());
    return output;
  }

  /// What its matrices take.
  public long bytes() {
    return pairs.values().stream().mapToLong(pair -> pair.a().nbytes() + pair.b().nbytes()).sum();
  }

  /// Whether it is no more.
  public boolean closed() {
    return closed;
  }

  @Override
  public void close() {
    closed = true;
    for (var pair : pairs.values()) {
      pair.a().close();
      pair.b().close();
    }
  }
}
