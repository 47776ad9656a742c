package dev.espalier.engine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.stream.IntStream;

/// Which running sequences have the same tokens so far. They are computed once, and part where they
/// draw different tokens: attempts at one task often do so late.
///
/// @param sets of rows; the first of each is the one that is computed
record Twins(List<List<Integer>> sets) {
  /// Rows that have none.
  static Twins none(int rows) {
    return new Twins(IntStream.range(0, rows).mapToObj(List::of).toList());
  }

  static Twins of(List<Generation> running) {
    var sets = new ArrayList<List<Integer>>();
    var byHash = new HashMap<Long, List<Integer>>();
    for (int row = 0; row < running.size(); row++) {
      var one = running.get(row);
      var alike = byHash.get(one.hash());
      if (alike == null || !one.isTwinOf(running.get(alike.getFirst()))) {
        alike = new ArrayList<>();
        sets.add(alike);
        byHash.putIfAbsent(one.hash(), alike);
      }
      alike.add(row);
    }
    return new Twins(sets);
  }

  /// The generations that are computed.
  List<Generation> computed(List<Generation> running) {
    return sets.stream().map(set -> running.get(set.getFirst())).toList();
  }
}
