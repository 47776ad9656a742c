package dev.espalier.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;

/// How the attention of a packed row is computed: some queries at a time, against all keys that any
/// of them may see.
///
/// A chunk is a part of one long span, or several short ones that continue the same span: few large
/// products with a mask are faster than many small ones without. The number of its keys is rounded
/// up, for libtorch compiles its products for every size that it meets.
///
/// @param pieces the row cut at every border of a chunk or a span: where each piece ends
/// @param chunks in the order of the row
record PackedPlan(List<Integer> pieces, List<Chunk> chunks) {
  private static final int ROUND = 64;

  /// Queries, and the keys for them.
  ///
  /// @param from the first query's position in the row
  /// @param to the end of the queries, and of their own keys
  /// @param own where the first of their spans starts
  /// @param before the spans that they continue, as (start, end) in the row, in order
  /// @param starts of each query's span
  record Chunk(int from, int to, int own, List<int[]> before, int[] starts) {
    int queries() {
      return to - from;
    }

    /// All keys, with those that are there only to make the number a round one.
    int keys() {
      int count = seen() + to - own;
      return (count + ROUND - 1) / ROUND * ROUND;
    }

    /// How many keys only make the number a round one; they come last.
    int padding() {
      return keys() - seen() - (to - own);
    }

    /// How many keys come before the own ones.
    int seen() {
      int count = 0;
      for (var range : before) count += range[1] - range[0];
      return count;
    }

    /// 0 where a query may look and that number where it may not: (queries, keys).
    float[] mask(float barred) {
      int keys = keys();
      int seen = seen();
      var mask = new float[queries() * keys];
      for (int q = 0; q < queries(); q++) {
        int row = q * keys;
        Arrays.fill(mask, row + seen, row + keys, barred);
        Arrays.fill(mask, row + seen + starts[q] - own, row + seen + from + q + 1 - own, 0);
      }
      return mask;
    }
  }

  /// How long each piece is.
  long[] sizes() {
    var sizes = new long[pieces.size()];
    long start = 0;
    for (int i = 0; i < sizes.length; i++) {
      long end = pieces.get(i);
      sizes[i] = end - start;
      start = end;
    }
    return sizes;
  }

  /// Plans a row.
  ///
  /// @param most queries of a chunk
  static PackedPlan of(List<Span> spans, int most) {
    var starts = new int[spans.size() + 1];
    for (int i = 0; i < spans.size(); i++) starts[i + 1] = starts[i] + spans.get(i).length();
    var chunks = new ArrayList<Chunk>();
    for (int i = 0; i < spans.size(); ) {
      int parent = spans.get(i).parent();
      var before = before(spans, starts, parent);
      int end = i + 1;
      while (end < spans.size() && spans.get(end).parent() == parent) end++;
      for (int from = starts[i]; from < starts[end]; from += most) {
        int to = Math.min(starts[end], from + most);
        var of = spanStarts(starts, i, from, to);
        chunks.add(new Chunk(from, to, of[0], before, of));
      }
      i = end;
    }
    var cuts = new TreeSet<Integer>();
    for (int i = 1; i < starts.length; i++) cuts.add(starts[i]);
    for (var chunk : chunks) cuts.add(chunk.to());
    return new PackedPlan(List.copyOf(cuts), chunks);
  }

  private static List<int[]> before(List<Span> spans, int[] starts, int parent) {
    var ranges = new ArrayList<int[]>();
    for (int span = parent; span >= 0; span = spans.get(span).parent()) {
      ranges.addFirst(new int[] {starts[span], starts[span + 1]});
    }
    return ranges;
  }

  private static int[] spanStarts(int[] starts, int first, int from, int to) {
    var out = new int[to - from];
    int span = first;
    for (int q = from; q < to; q++) {
      while (q >= starts[span + 1]) span++;
      out[q - from] = starts[span];
    }
    return out;
  }
}
