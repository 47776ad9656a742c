package dev.espalier.distil;

import dev.espalier.chat.TrainingSequence;
import dev.espalier.model.Span;
import dev.espalier.train.Row;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A row being filled with sequences, each whole or after a start that it shares with others.
final class RowPacker {
  private int[] ids = new int[1024];
  private float[] weights = new float[1024];
  private final List<Span> spans = new ArrayList<>();
  private int length;
  private int start = -1; // the span of the shared start

  int length() {
    return length;
  }

  /// Adds a sequence.
  ///
  /// @param shared how many of its first tokens are a shared start; 0 for none
  /// @param begun whether the row's last shared start is this one
  void add(TrainingSequence sequence, int shared, boolean begun) {
    if (shared > 0 && !begun) {
      start = spans.size();
      append(sequence, 0, shared, -1);
    }
    append(sequence, shared, sequence.length(), shared > 0 ? start : -1);
  }

  private void append(TrainingSequence sequence, int from, int to, int parent) {
    while (length + to - from > ids.length) {
      ids = Arrays.copyOf(ids, 2 * ids.length);
      weights = Arrays.copyOf(weights, ids.length);
    }
    for (int t = from; t < to; t++) {
      ids[length] = sequence.ids()[t];
      weights[length++] = t > 0 && sequence.trained()[t] ? 1 : 0;
    }
    spans.add(new Span(to - from, parent));
  }

  Row row() {
    return new Row(Arrays.copyOf(ids, length), Arrays.copyOf(weights, length), spans);
  }
}
