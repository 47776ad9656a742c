package dev.espalier.model;

import dev.espalier.model.Lora.Site;
import dev.espalier.model.ModelShape.Linear;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.LowRank;
import dev.espalier.tensor.LowRank.Layer;
import dev.espalier.tensor.Scope;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// An adapter that only computes: joined and cast once.
public final class FrozenLora implements AutoCloseable {
  private final Map<String, LowRank> pairs = new HashMap<>();
  private volatile boolean closed;

  /// A copy of an adapter as it is now, for a model of that shape.
  FrozenLora(Lora lora, ModelShape shape, Dtype dtype) {
    boolean lanes = BlockPass.sideBySide(shape, dtype);
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      for (var projection : shape.projections()) {
        var linears = projection.parts();
        if (linears.stream().noneMatch(it -> lora.sites().containsKey(it.name()))) continue;
        var layers = linears.stream().map(it -> layer(it, lora.sites().get(it.name()), dtype));
        pairs.put(projection.name(), LowRank.of(layers.toList(), lanes));
      }
    }
  }

  private static Layer layer(Linear linear, @Nullable Site site, Dtype dtype) {
    if (site == null) {
      var options = dtype.options();
      return new Layer(
          torch.empty(new long[] {0, linear.in()}, options, null),
          torch.empty(new long[] {linear.out(), 0}, options, null));
    }
    return new Layer(site.a().to(dtype.scalar()), LoraPair.scaled(site).to(dtype.scalar()));
  }

  /// The matrices of a projection; null where the adapter changes none of its layers.
  @Nullable LowRank pair(String projection) {
    return pairs.get(projection);
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
