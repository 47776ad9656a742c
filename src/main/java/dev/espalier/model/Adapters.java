package dev.espalier.model;

import java.util.List;
import java.util.Objects;
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
    return rows.stream().allMatch(Objects::isNull) ? NONE : new MixedAdapters(rows);
  }

  /// The output with the adapters' part added.
  ///
  /// @param input (B, T, in)
  /// @param output (B, T, out), the base's part; it may be overwritten
  Tensor apply(Projection projection, Tensor input, Tensor output);
}
