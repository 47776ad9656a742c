package dev.espalier.pretrain;

import dev.espalier.model.Span;
import dev.espalier.train.Row;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The rows of one step, filled with documents that cannot see each other.
///
/// A document goes whole into the first row with room, or else is cut to fit the largest gap; the
/// step is full when that gap is too small to be worth it. So a step is a function of the first
/// document's index and nothing else.
///
/// @param rows each nearly full
/// @param parts what each trained token is, in the order of the rows' trained tokens
record Packing(List<Row> rows, byte[] parts) {
  private static final int WORTH = 64;

  /// How much the loss of a token counts: what a user says teaches words, but is not the model's to
  /// say.
  private static float weight(byte part) {
    return switch (part) {
      case Document.CALL -> 2f;
      case Document.TEXT -> 1f;
      case Document.USER -> 0.2f;
      default -> 0f;
    };
  }

  static Packing next(Corpus corpus, int rows, int length) {
    var fill = new Fill[rows];
    for (int i = 0; i < rows; i++) fill[i] = new Fill(length);
    while (true) {
      var gap = Arrays.stream(fill).mapToInt(Fill::room).max().orElseThrow();
      if (gap < WORTH) break;
      var document = corpus.next();
      int size = Math.min(document.ids().length, gap);
      for (var row : fill) {
        if (row.room() >= size) {
          row.add(document, size);
          break;
        }
      }
    }
    var out = new ArrayList<Row>();
    var parts = new java.io.ByteArrayOutputStream();
    for (var row : fill) {
      out.add(row.row());
      for (int t = 0; t < length; t++) if (row.weights[t] != 0) parts.write(row.parts[t]);
    }
    return new Packing(out, parts.toByteArray());
  }

  /// A row being filled.
  private static final class Fill {
    final int[] ids;
    final float[] weights;
    final byte[] parts;
    final List<Span> spans = new ArrayList<>();
    int used;

    Fill(int length) {
      ids = new int[length];
      weights = new float[length];
      parts = new byte[length];
    }

    int room() {
      return ids.length - used;
    }

    void add(Document document, int size) {
      for (int t = 0; t < size; t++) {
        ids[used + t] = document.ids()[t];
        parts[used + t] = document.part()[t];
        weights[used + t] = t == 0 ? 0 : weight(document.part()[t]);
      }
      used += size;
      spans.add(Span.whole(size));
    }

    Row row() {
      return new Row(Arrays.copyOf(ids, used), Arrays.copyOf(weights, used), spans);
    }
  }
}
