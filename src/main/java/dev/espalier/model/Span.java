package dev.espalier.model;

import java.util.List;

/// A piece of a packed row: a whole sequence, or one that continues an earlier piece.
///
/// @param length in tokens
/// @param parent the number of the span in the row that comes before this one in its sequence; -1
///   if it starts a sequence
public record Span(int length, int parent) {
  public Span {
    if (length < 1) throw new IllegalArgumentException("a span without a token");
    if (parent < -1) throw new IllegalArgumentException("no span has the number " + parent);
  }

  /// A whole sequence.
  public static Span whole(int length) {
    return new Span(length, -1);
  }

  /// Where the first token of each span stands in its sequence.
  ///
  /// @throws IllegalArgumentException if a span continues one that does not come before it
  public static int[] starts(List<Span> spans) {
    var starts = new int[spans.size()];
    for (int i = 0; i < starts.length; i++) {
      int parent = spans.get(i).parent();
      if (parent >= i)
        throw new IllegalArgumentException("span %d continues a later one".formatted(i));
      starts[i] = parent < 0 ? 0 : starts[parent] + spans.get(parent).length();
    }
    return starts;
  }
}
