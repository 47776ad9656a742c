package dev.espalier.train;

import dev.espalier.model.SharedStarts;
import dev.espalier.model.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Packs sequences into rows without padding.
///
/// Prompts of one application start alike: the same instructions, the same tools; attempts at one
/// task share all of it. Sequences that share a start share it in their row as well, so it is
/// computed once; the loss and its gradient are those of the sequences apart.
public final class Packer {
  private static final int WORTH = 24; // a shorter start is not worth sharing

  private final List<Sequence> sequences;
  private final int room;
  private final List<PackedRow> rows = new ArrayList<>();
  private Filling filling = new Filling();

  private Packer(List<Sequence> sequences, int room) {
    this.sequences = sequences;
    this.room = room;
  }

  /// Rows of at most that many tokens, or one sequence.
  public static List<PackedRow> pack(List<Sequence> sequences, int room) {
    if (sequences.isEmpty()) throw new IllegalArgumentException("no sequence to pack");
    var packer = new Packer(sequences, room);
    packer.pack();
    return packer.rows;
  }

  private void pack() {
    var ids = sequences.stream().map(Sequence::ids).toList();
    var shareable = sequences.stream().mapToInt(Sequence::shareable).toArray();
    for (var run : SharedStarts.of(ids, shareable, WORTH)) fill(run.sequences(), run.length());
    rows.add(filling.row());
  }

  /// Adds sequences that share a start of that length.
  private void fill(List<Integer> alike, int start) {
    boolean begun = false;
    for (int i : alike) {
      int more = sequences.get(i).length() - (begun ? start : 0);
      if (filling.length > 0 && filling.length + more > room) {
        rows.add(filling.row());
        filling = new Filling();
        begun = false;
      }
      filling.add(i, sequences.get(i), start, begun);
      begun = true;
    }
  }

  /// A row being filled.
  private static final class Filling {
    private int[] ids = new int[1024];
    private float[] weights = new float[1024];
    private final List<Span> spans = new ArrayList<>();
    private final List<int[]> sources = new ArrayList<>(); // (sequence, token)
    private int length;
    private int start = -1; // the span of the shared start

    /// @param begun whether the row's last shared start is this one
    void add(int index, Sequence sequence, int shared, boolean begun) {
      if (shared > 0 && !begun) {
        start = spans.size();
        append(index, sequence, 0, shared, -1);
      }
      append(index, sequence, shared, sequence.length(), shared > 0 ? start : -1);
    }

    private void append(int index, Sequence sequence, int from, int to, int parent) {
      while (length + to - from > ids.length) {
        ids = Arrays.copyOf(ids, 2 * ids.length);
        weights = Arrays.copyOf(weights, ids.length);
      }
      for (int t = from; t < to; t++) {
        ids[length] = sequence.ids()[t];
        weights[length++] = sequence.weights()[t];
        if (sequence.weights()[t] != 0) sources.add(new int[] {index, t});
      }
      spans.add(new Span(to - from, parent));
    }

    PackedRow row() {
      var row = new Row(Arrays.copyOf(ids, length), Arrays.copyOf(weights, length), spans);
      return new PackedRow(
          row,
          sources.stream().mapToInt(source -> source[0]).toArray(),
          sources.stream().mapToInt(source -> source[1]).toArray());
    }
  }
}
