package dev.espalier.engine;

import dev.espalier.model.ModelShape;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/// All that is known of prompts that were computed: the slots' content and the starts that prompts
/// share. On the device's thread only.
final class PromptCache implements AutoCloseable {
  private static final long SHARED_BYTES = 512L << 20;

  private final BaseModel base;
  private final KvCache cache;
  private final Residents residents;
  private final Segments segments = new Segments(SHARED_BYTES);

  PromptCache(BaseModel base, int slots) {
    this.base = base;
    cache = new KvCache(base.shape(), slots, base.dtype());
    residents = new Residents(slots);
  }

  KvCache cache() {
    return cache;
  }

  Residents residents() {
    return residents;
  }

  Segments segments() {
    return segments;
  }

  ModelShape shape() {
    return base.shape();
  }

  /// How many tokens of a prompt need not be computed again.
  int held(int[] prompt, @Nullable Adapter adapter) {
    var segment = segments.longest(prompt, adapter);
    int shared = segment == null ? 0 : segment.shared(prompt, adapter);
    var start = residents.longest(prompt, adapter, shared);
    return Math.min(prompt.length - 1, start == null ? shared : start.length());
  }

  /// Frees what is not needed any more, where there is too much of it.
  void makeRoom() {
    residents.forget(segments.evict());
  }

  /// A new segment, to be filled.
  Segment segment(int[] tokens, @Nullable Adapter adapter) {
    var segment = new Segment(tokens, adapter, base.shape(), base.dtype());
    segments.add(segment);
    return segment;
  }

  /// Forgets segments that could not be computed.
  void remove(Collection<Segment> broken) {
    residents.forget(broken);
    broken.forEach(segments::remove);
  }

  /// Puts what will be missed least into a slot that is about to be overwritten.
  ///
  /// @param slot the first one that is free; those after it are too
  void spare(int slot) {
    swap(residents.oldest(slot), slot, 0);
  }

  /// Exchanges what two slots hold.
  ///
  /// @param length how many positions at least
  void swap(int one, int other, int length) {
    if (one == other) return;
    int held = Math.max(residents.held(one), residents.held(other));
    cache.swap(one, other, Math.max(held, length));
    residents.swap(one, other);
  }

  @Override
  public void close() {
    cache.close();
    segments.close();
  }
}
