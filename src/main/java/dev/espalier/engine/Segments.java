package dev.espalier.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The shared starts that are kept, up to a number of bytes; what was not asked for longest goes
/// first, and what nobody can ask for any more before that.
final class Segments implements AutoCloseable {
  private final long most;
  private final List<Segment> all = new ArrayList<>();
  private long clock;

  /// @param most bytes
  Segments(long most) {
    this.most = most;
  }

  /// The one that holds the longest start of a prompt; null if none holds any of it.
  @Nullable Segment longest(int[] prompt, @Nullable Adapter adapter) {
    Segment best = null;
    int longest = 0;
    for (var segment : all) {
      int shared = segment.shared(prompt, adapter);
      if (shared <= longest) continue;
      longest = shared;
      best = segment;
    }
    if (best != null) best.used = ++clock;
    return best;
  }

  void add(Segment segment) {
    segment.used = ++clock;
    all.add(segment);
  }

  /// Closes one whose content could not be computed.
  void remove(Segment segment) {
    all.remove(segment);
    segment.close();
  }

  /// Makes room: what no running sequence goes on from may go.
  ///
  /// @return what went
  List<Segment> evict() {
    var gone = new ArrayList<Segment>();
    long bytes = all.stream().mapToLong(Segment::bytes).sum();
    var oldest = new ArrayList<>(all);
    oldest.sort(Comparator.comparingLong(segment -> segment.used));
    for (var segment : oldest) {
      if (segment.users > 0 || (bytes <= most && !segment.stale())) continue;
      bytes -= segment.bytes();
      all.remove(segment);
      segment.close();
      gone.add(segment);
    }
    return gone;
  }

  @Override
  public void close() {
    all.forEach(Segment::close);
    all.clear();
  }
}
