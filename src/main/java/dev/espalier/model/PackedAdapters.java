package dev.espalier.model;

import dev.espalier.tensor.LowRank;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Different adapters for the pieces of one row.
///
/// @param runs of the row's tokens, in order; neighbours have different adapters
public record PackedAdapters(List<Run> runs) implements Adapters {
  /// Tokens that follow each other.
  ///
  /// @param from the first
  /// @param end after the last
  /// @param adapter null for the base alone
  public record Run(int from, int end, @Nullable FrozenLora adapter) {
    int tokens() {
      return end - from;
    }

    /// The matrices of a projection; null for none.
    @Nullable LowRank pair(Projection projection) {
      return adapter == null ? null : adapter.pair(projection.name());
    }
  }

  public PackedAdapters {
    runs = List.copyOf(runs);
  }

  /// Of pieces that follow each other.
  ///
  /// @param tokens of each piece
  /// @param adapters of each piece; null is the base alone
  public static PackedAdapters of(int[] tokens, List<@Nullable FrozenLora> adapters) {
    var runs = new ArrayList<Run>();
    int from = 0;
    for (int i = 0; i < tokens.length; i++) {
      int end = from + tokens[i];
      var adapter = adapters.get(i);
      if (!runs.isEmpty() && Objects.equals(runs.getLast().adapter(), adapter)) {
        runs.add(new Run(runs.removeLast().from(), end, adapter));
      } else {
        runs.add(new Run(from, end, adapter));
      }
      from = end;
    }
    return new PackedAdapters(runs);
  }

  /// Those of some of the row's tokens, one after the other.
  PackedAdapters some(int[] tokens) {
    var ones = new int[tokens.length];
    Arrays.fill(ones, 1);
    var each = new ArrayList<@Nullable FrozenLora>();
    for (int token : tokens) each.add(at(token));
    return of(ones, each);
  }

  private @Nullable FrozenLora at(int token) {
    int run = 0;
    while (token >= runs.get(run).end()) run++;
    return runs.get(run).adapter();
  }

  @Override
  public Tensor apply(Projection projection, Tensor input, BaseLinear base) {
    if (runs.stream().allMatch(run -> run.pair(projection) == null)) return base.product(input);
    var made = base.room(input);
    var rows = input.reshape(-1, input.size(-1));
    for (var run : runs) {
      var pair = run.pair(projection);
      var its = made.narrow(0, run.from(), run.tokens());
      if (pair == null) its.zero_();
      else pair.putAll(rows.narrow(0, run.from(), run.tokens()), its);
    }
    return base.product(input, made);
  }
}
