package dev.espalier.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.model.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Whatever sequences have in common, every token with loss is predicted from what comes before it
/// in its own sequence, and nothing is lost or counted twice.
class PackerTest {
  @Test
  void everyTokenHasItsOwnPast() {
    for (int seed = 0; seed < 300; seed++) {
      var random = new Random(seed);
      var sequences = sequences(random);
      int room = 100 + random.nextInt(2000);
      var rows = Packer.pack(sequences, room);
      var seen = new HashSet<List<Integer>>();
      for (var packed : rows) {
        var row = packed.row();
        var used = new HashSet<Integer>();
        var trained = trained(row);
        var sums = new float[row.trained()];
        for (var source : packed.sources()) {
          var of = sequences.get(source.sequence());
          used.add(source.sequence());
          assertThat(seen.add(List.of(source.sequence(), source.token()))).isTrue();
          assertThat(source.weight()).isEqualTo(of.weights()[source.token()]);
          sums[source.prediction()] += source.weight();
          assertThat(past(row, trained[source.prediction()]))
              .containsExactly(Arrays.copyOf(of.ids(), source.token() + 1));
        }
        assertThat(row.trainedWeights()).containsExactly(sums);
        assertThat(row.ids().length <= room || used.size() <= 1).isTrue();
      }
      long all = sequences.stream().mapToLong(PackerTest::withLoss).sum();
      assertThat(seen).hasSize((int) all);
    }
  }

  @Test
  void sharesWhatWasSampledAlike() {
    var prompt = new Random(1).ints(100, 0, 50).toArray();
    var one = sequence(prompt, new Random(2).ints(60, 0, 50).toArray());
    var two = sequence(one.ids(), new Random(3).ints(10, 50, 99).toArray());
    var rows = Packer.pack(List.of(two, one, one, two, one), 1000);
    assertThat(rows).hasSize(1);
    assertThat(rows.getFirst().row().ids()).hasSize(170);
    assertThat(rows.getFirst().row().spans()).containsExactly(new Span(160, -1), new Span(10, 0));
    assertThat(rows.getFirst().sources()).hasSize(3 * 60 + 2 * 10);
    assertThat(rows.getFirst().row().trained()).isEqualTo(60 + 10);
  }

  /// Continuations of a few stems, which part at random places; some are the same.
  private static List<Sequence> sequences(Random random) {
    var all = new ArrayList<Sequence>();
    int count = 1 + random.nextInt(40);
    for (int i = 0; i < count; i++) {
      if (i == 0 || random.nextInt(8) == 0) {
        var stem = random.ints(1 + random.nextInt(120), 0, 3).toArray();
        all.add(sequence(stem, new int[0]));
      } else {
        var stem = all.get(random.nextInt(all.size())).ids();
        var start = Arrays.copyOf(stem, 1 + random.nextInt(stem.length));
        all.add(sequence(start, random.ints(random.nextInt(60), 0, 3).toArray()));
      }
    }
    for (var one : all) {
      for (int t = 1; t < one.length(); t++) {
        one.weights()[t] = random.nextInt(3) == 0 ? 1 + random.nextInt(3) : 0;
      }
    }
    return all;
  }

  private static Sequence sequence(int[] prompt, int[] sampled) {
    var ids = Arrays.copyOf(prompt, prompt.length + sampled.length);
    System.arraycopy(sampled, 0, ids, prompt.length, sampled.length);
    var weights = new float[ids.length];
    Arrays.fill(weights, prompt.length, ids.length, 1);
    return new Sequence(ids, weights);
  }

  private static long withLoss(Sequence sequence) {
    long count = 0;
    for (float weight : sequence.weights()) if (weight != 0) count++;
    return count;
  }

  /// Where in the row its predictions' tokens are.
  private static int[] trained(Row row) {
    var at = new int[row.trained()];
    int n = 0;
    for (int t = 0; t < row.ids().length; t++) if (row.weights()[t] != 0) at[n++] = t;
    return at;
  }

  /// A token and all that its span continues.
  private static int[] past(Row row, int at) {
    int span = 0;
    int start = 0;
    while (at >= start + row.spans().get(span).length()) start += row.spans().get(span++).length();
    var own = Arrays.copyOfRange(row.ids(), start, at + 1);
    int parent = row.spans().get(span).parent();
    if (parent < 0) return own;
    int end = 0;
    for (int i = 0; i <= parent; i++) end += row.spans().get(i).length();
    var before = past(row, end - 1);
    var out = Arrays.copyOf(before, before.length + own.length);
    System.arraycopy(own, 0, out, before.length, own.length);
    return out;
  }
}
