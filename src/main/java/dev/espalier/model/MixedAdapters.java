package dev.espalier.model;

import dev.espalier.tensor.LowRank;
import dev.espalier.tensor.LowRank.Share;
import dev.espalier.tensor.Making;
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
  private final List<Integer> ofBase = new ArrayList<>(); // those without one
  private final Map<String, Part> byProjection = new HashMap<>();

  /// What is made of a projection's input.
  ///
  /// @param others the rows of which nothing is
  private record Part(List<Share> shares, List<Integer> others) {}

  /// @param each the adapter of each row; null is the base alone
  public MixedAdapters(List<@Nullable FrozenLora> each) {
    count = each.size();
    for (int row = 0; row < count; row++) {
      var adapter = each.get(row);
      (adapter == null ? ofBase : rows.computeIfAbsent(adapter, one -> new ArrayList<>())).add(row);
    }
  }

  /// Whether they change a projection for some row.
  boolean change(Projection projection) {
    return !part(projection).shares().isEmpty();
  }

  /// Puts what they make of the input of a projection that they change: for other rows zeros.
  ///
  /// @param input where its rows lie
  /// @param made where it goes: (N, out)
  void put(Projection projection, long input, long made) {
    LowRank.put(cleared(projection, made), input, made);
  }

  /// What [#put] puts, still to be made.
  Making making(Projection projection, long input, long made) {
    return new Making(cleared(projection, made), input, made);
  }

  private List<Share> cleared(Projection projection, long made) {
    var part = part(projection);
    var anyone = part.shares().getFirst().of(); // all are as wide, and of the same type
    for (int row : part.others()) anyone.clear(made, row);
    return part.shares();
  }

  @Override
  public Tensor apply(Projection projection, Tensor input, BaseLinear base) {
    if (!change(projection)) return base.product(input);
    var made = base.room(input);
    put(projection, Rows.at(input.contiguous()), Rows.at(made));
    return base.product(input, made);
  }

  private Part part(Projection projection) {
    return byProjection.computeIfAbsent(projection.name(), this::part);
  }

  private Part part(String projection) {
    var shares = new ArrayList<Share>();
    var others = new ArrayList<>(ofBase);
    rows.forEach((adapter, its) -> {
      var pair = adapter.pair(projection);
      if (pair == null) {
        others.addAll(its);
        return;
      }
      var numbers = its.stream().mapToInt(Integer::intValue).toArray();
      shares.addAll(Share.of(pair, numbers, count));
    });
    return new Part(shares, others);
  }
}
