package dev.espalier.model;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// What is added to the output of a projection: nothing, one adapter, or each row's own.
public interface Adapters {
  /// No adapter: the base model alone.
  Adapters NONE = (projection, input, output) -> output;

  /// For pieces of one row that follow each other.
  ///
  /// @param tokens of each piece
  /// @param adapters of each piece; null is the base alone
  static Adapters packed(int[] tokens, List<@Nullable FrozenLora> adapters) {
    var packed = PackedAdapters.of(tokens, adapters);
    return packed.runs().size() > 1 ? packed : one(packed.runs().getFirst().adapter());
  }

  /// One adapter for all; null is the base alone.
  static Adapters one(@Nullable FrozenLora adapter) {
    return adapter == null ? NONE : adapter;
  }

  /// For the rows of a batch.
  ///
  /// @param rows the adapter of each; null is the base alone
  static Adapters mixed(List<@Nullable FrozenLora> rows) {
    boolean mixed = rows.stream().distinct().count() > 1;
    return mixed ? new MixedAdapters(rows) : one(rows.isEmpty() ? null : rows.getFirst());
  }

  /// The output with the adapters' part added.
  ///
  /// @param input (B, T, in)
  /// @param output (B, T, out), the base's part; it may be overwritten
  Tensor apply(Projection projection, Tensor input, Tensor output);
}
