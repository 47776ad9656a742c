package dev.espalier.engine;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Finds which of many prompts start alike.
final class SharedStarts {
  /// A shorter start is not worth keeping apart.
  static final int WORTH = 64;

  private SharedStarts() {}

  /// For each prompt how many tokens it should share with others; 0 for none.
  ///
  /// Prompts that are alike as strings are neighbours when sorted; a run of neighbours shares what
  /// all of it has in common, and ends where that would more than halve.
  static int[] of(List<int[]> prompts) {
    var shared = new int[prompts.size()];
    var order =
        IntStream.range(0, shared.length)
            .boxed()
            .sorted(Comparator.comparing(prompts::get, Arrays::compare))
            .toList();
    for (int i = 0; i < shared.length; ) {
      var first = prompts.get(order.get(i));
      int common = first.length - 1; // a token is left to compute
      int end = i + 1;
      for (; end < shared.length; end++) {
        int still = Math.min(common, sharedStart(first, prompts.get(order.get(end))));
        if (still < WORTH || (end > i + 1 && still < common / 2)) break;
        common = still;
      }
      if (end > i + 1) for (int each : order.subList(i, end)) shared[each] = common;
      i = end;
    }
    return shared;
  }

  private static int sharedStart(int[] one, int[] other) {
    int mismatch = Arrays.mismatch(one, other);
    return Math.min(mismatch < 0 ? other.length : mismatch, other.length - 1);
  }
}
