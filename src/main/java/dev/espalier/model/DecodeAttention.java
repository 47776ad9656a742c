package dev.espalier.model;

import dev.espalier.model.DecodePass.Past;
import dev.espalier.tensor.Crew;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.KeyValues;
import dev.espalier.tensor.Rows;
import dev.espalier.tensor.StartAttention;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The attention of a decode step. A key-value head of a row is a job of one thread, or of all rows
/// that go on from the same start, which is read once for them.
final class DecodeAttention {
  private final ModelShape shape;
  private final Rows rows;
  private final StartAttention together;
  private final Past past;
  private final Rotary.Turn[] turns;
  private final long seen; // positions, by all rows
  private final List<Group> groups;

  /// Rows that are one job.
  ///
  /// @param rows their numbers
  /// @param alike whether they go on from the same start, and read it together
  @SuppressWarnings("ArrayRecordComponent") // nobody compares them
  private record Group(int[] rows, boolean alike) {}

  /// Norms of queries and keys, where the family has them.
  @SuppressWarnings("ArrayRecordComponent") // nobody compares them
  record Norms(float @Nullable [] query, float @Nullable [] key) {}

  /// @param dtype of queries, keys and values
  /// @param positions of the new tokens
  /// @param turns to them
  DecodeAttention(ModelShape shape, Dtype dtype, Past past, int[] positions, Rotary.Turn[] turns) {
    this.shape = shape;
    this.past = past;
    this.turns = turns;
    rows = new Rows(dtype);
    together = new StartAttention(dtype, shape.headDim());
    seen = Arrays.stream(positions).asLongStream().sum() + positions.length;
    groups = groups();
  }

  private List<Group> groups() {
    var byStart = new LinkedHashMap<KeyValues, List<Integer>>();
    for (int row = 0; row < turns.length; row++) {
      var sees = past.of(0, row);
      if (sees.size() == 2) {
        byStart.computeIfAbsent(sees.getFirst(), it -> new ArrayList<>()).add(row);
      }
    }
    var out = new ArrayList<Group>();
    var alone = new BitSet();
    alone.set(0, turns.length);
    byStart.forEach((start, its) -> {
      if (!together.pays(its.size() * queries(), start.length())) return;
      for (int from = 0; from < its.size(); from += most()) {
        var some = its.subList(from, Math.min(its.size(), from + most()));
        out.add(new Group(some.stream().mapToInt(Integer::intValue).toArray(), true));
      }
      its.forEach(alone::clear);
    });
    alone.stream().forEach(row -> out.add(new Group(new int[] {row}, false)));
    return out;
  }

  /// Queries of a row that share a key-value head.
  private int queries() {
    return shape.heads() / shape.kvHeads();
  }

  /// Rows that are computed together.
  private int most() {
    return Math.max(1, StartAttention.MOST / queries());
  }

  /// The attention of all rows and heads of a layer.
  ///
  /// @param qkv (B, (H + 2·KV)·hd)
  /// @param mixed where the output goes: (B, H·hd)
  void attend(int layer, Norms norms, long qkv, long mixed) {
    long each = (long) shape.heads() * shape.headDim();
    Crew.device()
        .run(
            groups.size() * shape.kvHeads(),
            seen * each * 2,
            job -> {
              var group = groups.get(job % groups.size());
              new Head(layer, job / groups.size(), qkv, mixed).attend(group, norms);
            });
  }

  /// A key-value head of all rows.
  private final class Head {
    private final int layer;
    private final int number;
    private final long qkv;
    private final long mixed;
    private final int size = shape.headDim();

    Head(int layer, int number, long qkv, long mixed) {
      this.layer = layer;
      this.number = number;
      this.qkv = qkv;
      this.mixed = mixed;
    }

    void attend(Group group, Norms norms) {
      var sees = new ArrayList<List<KeyValues>>(group.rows().length);
      for (int row : group.rows()) {
        sees.add(past.of(layer, row));
        store(row, sees.getLast().getLast(), norms);
      }
      var queries = new long[group.rows().length * queries()];
      var outputs = new long[queries.length];
      for (int i = 0; i < queries.length; i++) {
        int row = group.rows()[i / queries()];
        int query = number * queries() + i % queries();
        queries[i] = head(row, query);
        outputs[i] = rows.after(mixed, ((long) row * shape.heads() + query) * size);
      }
      var scores = new float[queries.length];
      if (group.alike()) {
        together.attend(queries, sees.getFirst().getFirst(), number, outputs, scores);
      }
      for (int i = 0; i < queries.length; i++) {
        var its = sees.get(i / queries());
        if (group.alike()) {
          rows.attend(queries[i], size, its.getLast(), number, scores[i], outputs[i]);
        } else {
          rows.attend(queries[i], size, its, number, outputs[i]);
        }
      }
    }

    /// Where one of a row's heads lies: queries, keys and values.
    private long head(int row, int which) {
      return rows.after(qkv, (long) row * shape.qkvWidth() + (long) which * size);
    }

    /// Turns a row's queries and key to its position, and keeps the key and the value.
    ///
    /// @param own the row's own positions, of which the last is the new one
    private void store(int row, KeyValues own, Norms norms) {
      long place = place(own);
      turned(head(row, shape.heads() + number), norms.key(), row, own.keys() + place);
      long value = head(row, shape.heads() + shape.kvHeads() + number);
      rows.copy(value, own.values() + place, size);
      for (var copy : past.copies(layer, row)) {
        rows.copy(own.keys() + place, copy.keys() + place(copy), size);
        rows.copy(own.values() + place, copy.values() + place(copy), size);
      }
      for (int i = 0; i < queries(); i++) {
        long query = head(row, number * queries() + i);
        turned(query, norms.query(), row, query);
      }
    }

    /// The head's last place, in bytes from where keys or values begin.
    private long place(KeyValues cache) {
      return rows.after(number * cache.apart(), (cache.length() - 1L) * size);
    }

    /// Normalises a query or key where the family asks for it, and turns it to its row's position.
    private void turned(long from, float @Nullable [] norm, int row, long to) {
      var numbers = new float[size];
      rows.read(from, numbers);
      if (norm != null) Rows.norm(numbers, norm, shape.normEps(), numbers);
      Rows.rotate(numbers, 0, turns[row].cos(), turns[row].sin());
      rows.write(numbers, to);
    }
  }
}
