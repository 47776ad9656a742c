package dev.espalier.train;

import dev.espalier.model.Span;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.stream.IntStream;

/// Packs sequences into rows without padding, what they have in common once.
///
/// Prompts of one application start alike: the same instructions, the same tools; attempts at one
/// task go on alike, and part only where a policy said different things. A row is a forest of what
/// its sequences share, token by token, whether or not the tokens carry loss; the loss and its
/// gradient are those of the sequences apart.
public final class Packer {
  private static final int WORTH = 24; // a piece that saves fewer tokens is not worth sharing

  private final List<Sequence> sequences; // sorted by their tokens, so that what is alike is near
  private final List<Integer> numbers; // theirs before

  private Packer(List<Sequence> sequences) {
    numbers =
        IntStream.range(0, sequences.size())
            .boxed()
            .sorted(Comparator.comparing(i -> sequences.get(i).ids(), Arrays::compare))
            .toList();
    this.sequences = numbers.stream().map(sequences::get).toList();
  }

  /// Rows of at most that many tokens, or one sequence.
  public static List<PackedRow> pack(List<Sequence> sequences, int room) {
    if (sequences.isEmpty()) throw new IllegalArgumentException("no sequence to pack");
    var packer = new Packer(sequences);
    var rows = new ArrayList<PackedRow>();
    int first = 0;
    int length = 0; // of the row from `first` on, at most
    for (int i = 0; i < sequences.size(); i++) {
      int more = i == first ? packer.length(i) : packer.more(i);
      if (i > first && length + more > room) {
        rows.add(packer.row(first, i));
        first = i;
        length = 0;
        more = packer.length(i);
      }
      length += more;
    }
    rows.add(packer.row(first, sequences.size()));
    return rows;
  }

  private int length(int sequence) {
    return sequences.get(sequence).length();
  }

  /// How much a sequence adds to a row that ends with the one before it, at most.
  private int more(int sequence) {
    int own = length(sequence) - common(sequence - 1, sequence + 1);
    return own == 0 ? 0 : Math.min(own + WORTH, length(sequence));
  }

  /// How many tokens sequences `from` to `to` start with alike.
  private int common(int from, int to) {
    var first = sequences.get(from).ids();
    int mismatch = Arrays.mismatch(first, sequences.get(to - 1).ids());
    return mismatch < 0 ? first.length : mismatch;
  }

  /// Tokens `begin` to `end` of sequences `from` to `to`, which are the same.
  private record Piece(int from, int to, int begin, int end) {}

  private PackedRow row(int from, int to) {
    var filling = new Filling();
    var queue = new ArrayDeque<Piece>();
    fork(from, to, 0, queue);
    // level by level, so that what continues one piece stands together
    for (var piece : queue) filling.append(piece, -1);
    for (int span = 0; !queue.isEmpty(); span++) {
      var piece = queue.remove();
      var next = new ArrayDeque<Piece>();
      split(piece.from(), piece.to(), piece.end(), piece.end(), next);
      for (var child : next) filling.append(child, span);
      queue.addAll(next);
    }
    return filling.row();
  }

  /// The pieces that sequences which are the same up to `begin` go on with.
  private void fork(int from, int to, int begin, Queue<Piece> out) {
    int common = common(from, to);
    boolean worth = (long) (to - from - 1) * (common - begin) >= WORTH;
    if (worth || to == from + 1) out.add(new Piece(from, to, begin, common));
    else split(from, to, begin, common, out);
  }

  /// The same where they part at `common`, if not before it.
  private void split(int from, int to, int begin, int common, Queue<Piece> out) {
    int first = from;
    while (first < to && length(first) == common) first++;
    if (first > from && common > begin) out.add(new Piece(from, first, begin, common));
    while (first < to) {
      int end = first + 1;
      int token = sequences.get(first).ids()[common];
      while (end < to && sequences.get(end).ids()[common] == token) end++;
      fork(first, end, begin, out);
      first = end;
    }
  }

  /// A row being filled.
  private final class Filling {
    private int[] ids = new int[1024];
    private float[] weights = new float[1024];
    private int length;
    private int trained;
    private final List<Span> spans = new ArrayList<>();
    private final List<PackedRow.Source> sources = new ArrayList<>();

    void append(Piece piece, int parent) {
      int size = piece.end() - piece.begin();
      if (length + size > ids.length) {
        ids = Arrays.copyOf(ids, 2 * (length + size));
        weights = Arrays.copyOf(weights, ids.length);
      }
      for (int t = piece.begin(); t < piece.end(); t++) {
        ids[length] = sequences.get(piece.from()).ids()[t];
        for (int i = piece.from(); i < piece.to(); i++) {
          float weight = sequences.get(i).weights()[t];
          if (weight == 0) continue;
          weights[length] += weight;
          sources.add(new PackedRow.Source(numbers.get(i), t, weight, trained));
        }
        if (weights[length++] != 0) trained++;
      }
      spans.add(new Span(size, parent));
    }

    PackedRow row() {
      return new PackedRow(
          new Row(Arrays.copyOf(ids, length), Arrays.copyOf(weights, length), spans), sources);
    }
  }
}
