package dev.espalier.distil;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.TrainingSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Packing counts every token of every sequence (more: PackerTest).
final class SequencesTest {
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
  void aTokenOfTwoSequencesCountsTwice() {
    var same = IntStream.range(0, 200).toArray();
    var sequences = List.of(sequence(same, new int[0], 80), sequence(same, new int[0], 90));
    var row = Sequences.pack(sequences, 4096).getFirst();
    assertThat(row.ids()).hasSize(200);
    assertThat(row.trained()).isEqualTo(90);
    assertThat(row.trainedWeights()).startsWith(1).endsWith(2).hasSize(90);
  }

  /// @param trained how many of the last tokens carry loss
  private static TrainingSequence sequence(int[] start, int[] end, int trained) {
    var ids = IntStream.concat(Arrays.stream(start), Arrays.stream(end)).toArray();
    var marks = new boolean[ids.length];
    Arrays.fill(marks, ids.length - trained, ids.length, true);
    return new TrainingSequence(ids, marks);
  }
}
