package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Different adapters for the rows of one batch: all ranks side by side in one product, and a mask
/// that leaves each row its own.
///
/// Two products whatever the number of adapters; a loop over them is several times slower.
public final class MixedAdapters implements Adapters, AutoCloseable {
  /// @param a (R, in), every adapter's A
  /// @param b (out, R), every adapter's B, scaled
  /// @param mask (B, 1, R), one where a column belongs to the row's adapter
  private record Stack(Tensor a, Tensor b, Tensor mask) {}

  private final Map<String, Stack> stacks = new HashMap<>();

  /// @param rows the adapter of each row of the batch; null is the base alone
  public MixedAdapters(List<@Nullable FrozenLora> rows) {
    var distinct = new LinkedHashSet<FrozenLora>();
    var projections = new LinkedHashSet<String>();
    for (var lora : rows) {
      if (lora == null || !distinct.add(lora)) continue;
      lora.projections().forEach(projections::add);
    }
    try (var scope = new Scope()) {
      for (var name : projections) stacks.put(name, stack(scope, name, distinct, rows));
    }
  }

  private static Stack stack(
      Scope scope, String projection, Set<FrozenLora> distinct, List<@Nullable FrozenLora> rows) {
    var as = new TensorVector();
    var bs = new TensorVector();
    var masks = new TensorVector();
    for (var lora : distinct) {
      var pair = lora.pair(projection);
      if (pair == null) continue;
      as.push_back(pair.a());
      bs.push_back(pair.b());
      var own = new float[rows.size()];
      for (int i = 0; i < own.length; i++) own[i] = rows.get(i) == lora ? 1 : 0;
      masks.push_back(
          torch
              .tensor(own, Dtype.F32.options())
              .view(-1, 1, 1)
              .expand(own.length, 1, pair.a().size(0)));
    }
    var a = scope.keep(torch.cat(as, 0));
    return new Stack(
        a, scope.keep(torch.cat(bs, 1)), scope.keep(torch.cat(masks, 2).to(a.scalar_type())));
  }

  @Override
  public Tensor apply(Projection projection, Tensor input, Tensor output) {
    var stack = stacks.get(projection.name());
    if (stack == null) return output;
    var down = torch.linear(input, stack.a()).mul(stack.mask()); // (B, T, R)
    return output.add(torch.linear(down, stack.b()));
  }

  @Override
  public void close() {
    for (var stack : stacks.values()) {
      stack.a().close();
      stack.b().close();
      stack.mask().close();
    }
  }
}
