package dev.espalier.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Finds which of many sequences start alike, so that what they share is computed once.
final class SharedStarts {
  private SharedStarts() {}

  /// Sequences that start alike, or one that starts like no other.
  ///
  /// @param sequences their numbers, sorted as their tokens are
  /// @param length how many tokens they share; 0 for one alone
  record Run(List<Integer> sequences, int length) {}

  /// Runs of sequences, sorted by their tokens.
  ///
  /// Sequences that are alike are neighbours when sorted; a run of neighbours shares what all of it
  /// has in common, and ends where that would more than halve.
  ///
  /// @param ids the tokens of each
  /// @param shareable how many tokens of each may be shared at most
  /// @param worth a shorter start is not worth sharing
  static List<Run> of(List<int[]> ids, int[] shareable, int worth) {
    var order =
        IntStream.range(0, shareable.length)
            .boxed()
            .sorted(Comparator.comparing(ids::get, Arrays::compare))
            .toList();
    var runs = new ArrayList<Run>();
    for (int i = 0; i < shareable.length; ) {
      int first = order.get(i);
      int common = shareable[first];
      int end = i + 1;
      for (; end < shareable.length; end++) {
        int other = order.get(end);
        int mismatch = Arrays.mismatch(ids.get(first), ids.get(other));
        int alike = Math.min(mismatch < 0 ? ids.get(other).length : mismatch, shareable[other]);
        int still = Math.min(common, alike);
        if (still < worth || (end > i + 1 && still < common / 2)) break;
        common = still;
      }
      runs.add(new Run(order.subList(i, end), end > i + 1 ? common : 0));
      i = end;
    }
    return runs;
  }
}
