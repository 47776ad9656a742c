package dev.espalier.model;

import static dev.espalier.tensor.Lanes.PANEL;

import dev.espalier.tensor.LaneAttention.Block;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Which panels of keys the queries of each panel see.
///
/// @param blocks of each panel of queries
record LanePlan(List<List<Block>> blocks) {
  private static final long ALL = PANEL == Long.SIZE ? -1 : (1L << PANEL) - 1;

  /// Plans a row all of whose tokens ask.
  static LanePlan of(List<Span> spans) {
    int tokens = spans.stream().mapToInt(Span::length).sum();
    var all = new int[tokens];
    Arrays.setAll(all, i -> i);
    return of(spans, all);
  }

  /// Plans a row some of whose tokens ask. What only fills the last panel sees the first key.
  static LanePlan of(List<Span> spans, int[] queries) {
    var starts = new int[spans.size() + 1];
    for (int i = 0; i < spans.size(); i++) starts[i + 1] = starts[i] + spans.get(i).length();
    var out = new ArrayList<List<Block>>();
    for (int first = 0; first < queries.length; first += PANEL) {
      var seen = new TreeMap<Integer, long[]>(); // by panel, for each key who sees it
      for (int lane = 0; lane < PANEL; lane++) {
        if (first + lane < queries.length) see(spans, starts, queries[first + lane], lane, seen);
        else see(0, 1, lane, seen);
      }
      out.add(seen.entrySet().stream().map(it -> block(it.getKey(), it.getValue())).toList());
    }
    return new LanePlan(List.copyOf(out));
  }

  private static Block block(int panel, long[] seen) {
    boolean all = Arrays.stream(seen).allMatch(each -> each == ALL);
    return new Block(panel, all ? null : seen);
  }

  private static void see(
      List<Span> spans, int[] starts, int token, int lane, Map<Integer, long[]> seen) {
    int found = Arrays.binarySearch(starts, token);
    int span = found >= 0 ? found : -found - 2;
    see(starts[span], token + 1, lane, seen);
    for (int before = spans.get(span).parent(); before >= 0; ) {
      see(starts[before], starts[before + 1], lane, seen);
      before = spans.get(before).parent();
    }
  }

  private static void see(int from, int end, int lane, Map<Integer, long[]> seen) {
    for (int panel = from / PANEL; panel * PANEL < end; panel++) {
      var some = seen.computeIfAbsent(panel, it -> new long[PANEL]);
      int start = panel * PANEL;
      for (int key = Math.max(from, start); key < Math.min(end, start + PANEL); key++) {
        some[key - start] |= 1L << lane;
      }
    }
  }
}
