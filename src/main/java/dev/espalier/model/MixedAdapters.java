package dev.espalier.model;

import dev.espalier.tensor.LowRank;
import dev.espalier.tensor.LowRank.Share;
import dev.espalier.tensor.Rows;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Different adapters for the rows of one batch, each computed from its matrices where they lie;
/// rows of the same one are brought together.
public final class MixedAdapters implements Adapters {
  private final int count;
  private final Map<FrozenLora, List<Integer>> rows = new LinkedHashMap<>(); // of each adapter
  private final Map<String, List<Share>> byProjection = new HashMap<>();

  /// @param each the adapter of each row; null is the base alone
  public MixedAdapters(List<@Nullable FrozenLora> each) {
    count = each.size();
    for (int row = 0; row < count; row++) {
      var adapter = each.get(row);
      if (adapter != null) rows.computeIfAbsent(adapter, one -> new ArrayList<>()).add(row);
    }
  }

  /// Adds to a projection's output.
  ///
  /// @param input where its rows lie
  /// @param output where its rows lie
  void add(Projection projection, long input, long output) {
    var shares = byProjection.computeIfAbsent(projection.name(), this::shares);
    if (!shares.isEmpty()) LowRank.add(shares, input, output);
  }

  @Override
  public Tensor apply(Projection projection, Tensor input, Tensor output) {
    add(projection, Rows.at(input.contiguous()), Rows.at(output));
    return output;
  }

  private List<Share> shares(String projection) {
    var shares = new ArrayList<Share>();
    rows.forEach((adapter, its) -> {
      var pair = adapter.pair(projection);
      if (pair == null) return;
      var numbers = its.stream().mapToInt(Integer::intValue).toArray();
      shares.addAll(Share.of(pair, numbers, count));
    });
    return shares;
  }
}
