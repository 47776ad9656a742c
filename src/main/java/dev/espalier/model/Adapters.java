package dev.espalier.model;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// What is added to the output of a projection: nothing, one adapter, or each row's own.
public interface Adapters {
  /// No adapter: the base model alone.
  Adapters NONE = (projection, input, output) -> output;

  /// For the rows of a batch.
  ///
  /// @param rows the adapter of each; null is the base alone
  static Adapters mixed(List<@Nullable FrozenLora> rows) {
    if (rows.stream().distinct().count() > 1) return new MixedAdapters(rows);
    var all = rows.isEmpty() ? null : rows.getFirst();
    return all == null ? NONE : all;
  }

  /// The output with the adapters' part added.
  ///
  /// @param input (B, T, in)
  /// @param output (B, T, out), the base's part; it may be overwritten
  Tensor apply(Projection projection, Tensor input, Tensor output);
}
