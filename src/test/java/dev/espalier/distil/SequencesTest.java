package dev.espalier.distil;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.TrainingSequence;
import dev.espalier.train.Row;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Packing: nothing is lost, nothing is added, and what sequences share is there once.
final class SequencesTest {
  @Test
  void everySequenceIsWholeInTheRows() {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    for (int round = 0; round < 50; round++) {
      var sequences = some(random);
      int room = 50 + random.nextInt(1500);
      var rows = Sequences.pack(sequences, room);
      assertThat(rows.stream().flatMap(row -> unpacked(row).stream()))
          .as("seed %d, round %d", seed, round)
          .containsExactlyInAnyOrderElementsOf(
              sequences.stream().map(SequencesTest::written).toList());
      int longest = sequences.stream().mapToInt(TrainingSequence::length).max().orElseThrow();
      assertThat(rows).allMatch(row -> row.ids().length <= Math.max(room, longest));
    }
  }

  @Test
  void aSharedStartIsThereOnceARow() {
    var start = IntStream.range(0, 300).toArray();
    var sequences = new ArrayList<TrainingSequence>();
    for (int i = 0; i < 5; i++) sequences.add(sequence(start, new int[] {1000 + i, 2000, 3000}, 2));
    var rows = Sequences.pack(sequences, 4096);
    assertThat(rows).hasSize(1);
    assertThat(rows.getFirst().ids()).hasSize(300 + 5 * 3);
    assertThat(rows.getFirst().trained()).isEqualTo(10);
  }

  @Test
  void aStartIsSharedOnlyBeforeTheFirstTokenWithLoss() {
    var same = IntStream.range(0, 200).toArray();
    var sequences = List.of(sequence(same, new int[0], 80), sequence(same, new int[0], 80));
    var row = Sequences.pack(sequences, 4096).getFirst();
    assertThat(row.ids()).hasSize(120 + 2 * 80);
    assertThat(row.trained()).isEqualTo(160);
  }

  /// Sequences of a few families, each with a start of its own, or none.
  private static List<TrainingSequence> some(Random random) {
    var families = new ArrayList<int[]>();
    for (int f = 0; f < 3; f++) {
      families.add(random.ints(random.nextInt(200), 0, 50).toArray());
    }
    var out = new ArrayList<TrainingSequence>();
    int count = 1 + random.nextInt(20);
    for (int i = 0; i < count; i++) {
      var end = random.ints(2 + random.nextInt(80), 0, 3).toArray();
      out.add(sequence(families.get(random.nextInt(3)), end, 1 + random.nextInt(end.length - 1)));
    }
    return out;
  }

  /// @param trained how many of the last tokens carry loss
  private static TrainingSequence sequence(int[] start, int[] end, int trained) {
    var ids = IntStream.concat(Arrays.stream(start), Arrays.stream(end)).toArray();
    var marks = new boolean[ids.length];
    Arrays.fill(marks, ids.length - trained, ids.length, true);
    return new TrainingSequence(ids, marks);
  }

  private static String written(TrainingSequence sequence) {
    var text = new StringBuilder();
    for (int t = 0; t < sequence.length(); t++) {
      text.append(sequence.ids()[t]).append(sequence.trained()[t] ? "! " : " ");
    }
    return text.toString();
  }

  /// The sequences of a row: each path from a span without a parent to one that none continues.
  private static List<String> unpacked(Row row) {
    var texts = new ArrayList<String>();
    var continued = new boolean[row.spans().size()];
    int at = 0;
    for (var span : row.spans()) {
      var text = new StringBuilder(span.parent() < 0 ? "" : texts.get(span.parent()));
      if (span.parent() >= 0) continued[span.parent()] = true;
      for (int t = 0; t < span.length(); t++, at++) {
        text.append(row.ids()[at]).append(row.weights()[at] != 0 ? "! " : " ");
      }
      texts.add(text.toString());
    }
    var out = new ArrayList<String>();
    for (int s = 0; s < continued.length; s++) if (!continued[s]) out.add(texts.get(s));
    return out;
  }
}
