package dev.espalier.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.stream.IntStream;

/// Which running sequences have the same tokens so far. They are computed once, and part where they
/// draw different tokens: attempts at one task often do so late.
///
/// @param rows of each set of twins, the row that is computed
/// @param of for each running row, its place among `rows`
record Twins(List<Integer> rows, int[] of) {
  /// Rows that have none.
  static Twins none(int rows) {
    var each = IntStream.range(0, rows).toArray();
    return new Twins(Arrays.stream(each).boxed().toList(), each);
  }

  static Twins of(List<Generation> running) {
    var rows = new ArrayList<Integer>();
    var of = new int[running.size()];
    var places = new HashMap<Long, Integer>();
    for (int row = 0; row < of.length; row++) {
      var one = running.get(row);
      var place = places.putIfAbsent(one.hash(), rows.size());
      if (place != null && one.isTwinOf(running.get(rows.get(place)))) {
        of[row] = place;
      } else {
        of[row] = rows.size();
        rows.add(row);
      }
    }
    return new Twins(rows, of);
  }

  /// The rows that are not computed themselves, of each set.
  List<List<Integer>> others() {
    var others = new ArrayList<List<Integer>>();
    for (int _ : rows) others.add(new ArrayList<>());
    for (int row = 0; row < of.length; row++) {
      if (rows.get(of[row]) != row) others.get(of[row]).add(row);
    }
    return others;
  }
}
