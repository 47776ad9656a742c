package dev.espalier.model;

import dev.espalier.tensor.LowRank;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Different adapters for the rows of one batch, each computed from its matrices where they lie.
public final class MixedAdapters implements Adapters {
  private final List<@Nullable FrozenLora> rows;
  private final Map<String, List<@Nullable LowRank>> byProjection = new HashMap<>();

  /// @param rows the adapter of each; null is the base alone
  public MixedAdapters(List<@Nullable FrozenLora> rows) {
    this.rows = Collections.unmodifiableList(new ArrayList<>(rows));
  }

  @Override
  public Tensor apply(Projection projection, Tensor input, Tensor output) {
    var each = byProjection.computeIfAbsent(projection.name(), this::pairs);
    LowRank.add(each, input.contiguous(), output);
    return output;
  }

  private List<@Nullable LowRank> pairs(String projection) {
    var each = new ArrayList<@Nullable LowRank>();
    for (var row : rows) {
      var pair = row == null ? null : row.pair(projection);
      each.add(pair == null ? null : pair.rows());
    }
    return each;
  }
}
