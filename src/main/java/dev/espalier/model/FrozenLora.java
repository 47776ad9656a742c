package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// An adapter that only computes: joined and cast once.
public final class FrozenLora implements Adapters, AutoCloseable {
  private final Map<String, LoraPair> pairs = new HashMap<>();
  private volatile boolean closed;

  /// A copy of an adapter as it is now, for a model of that shape.
  FrozenLora(Lora lora, ModelShape shape, Dtype dtype) {
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      for (var projection : shape.projections()) {
        var pair = LoraPair.join(projection, lora.sites(), dtype);
        if (pair == null) continue;
        pairs.put(
            projection.name(), new LoraPair(scope.keep(own(pair.a())), scope.keep(own(pair.b()))));
      }
    }
  }

  /// Not the masters themselves, where they are of that type already.
  private static Tensor own(Tensor tensor) {
    return tensor.detach().clone();
  }

  /// The matrices of a projection; null where the adapter changes none of its layers.
  @Nullable LoraPair pair(String projection) {
    return pairs.get(projection);
  }

  Iterable<String> projections() {
    return pairs.keySet();
  }

  @Override
  public Tensor apply(Projection projection, Tensor input, Tensor output) {
    var pair = pairs.get(projection.name());
    return pair == null ? output : pair.apply(input, output);
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
    pairs.values().forEach(LoraPair::close);
  }
}
