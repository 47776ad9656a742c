package dev.espalier.engine;

import java.util.Arrays;
import java.util.Collection;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// What each slot of the cache holds, also after its request has gone, so that a conversation that
/// goes on need not be computed again from its start.
final class Residents {
  /// A sequence that a slot holds.
  ///
  /// @param tokens all of it
  /// @param asked how many of them were asked with; the others are an answer
  /// @param segment that holds its first `base` tokens; the slot holds the others
  record Resident(
      int[] tokens, int asked, @Nullable Adapter adapter, @Nullable Segment segment, int base) {}

  private final @Nullable Resident[] slots;
  private final long[] since;
  private long clock;

  Residents(int slots) {
    this.slots = new Resident[slots];
    since = new long[slots];
  }

  /// A slot that holds the start of a prompt.
  ///
  /// @param length how many tokens of it, those of the resident's segment counted in
  record Start(int slot, Resident resident, int length) {
    /// Whether the prompt goes on from that conversation.
    boolean goesOn() {
      return length >= resident.asked();
    }
  }

  /// The slot with the longest start of a prompt beyond what is given; null if there is none.
  @Nullable Start longest(int[] prompt, @Nullable Adapter adapter, int beyond) {
    Start best = null;
    int longest = beyond;
    for (int slot = 0; slot < slots.length; slot++) {
      var resident = slots[slot];
      if (resident == null || !Objects.equals(resident.adapter(), adapter)) continue;
      int mismatch = Arrays.mismatch(resident.tokens(), prompt);
      int length = mismatch < 0 ? prompt.length : mismatch;
      if (length <= longest || length <= resident.base()) continue;
      longest = length;
      best = new Start(slot, resident, length);
    }
    return best;
  }

  void put(int slot, Resident resident) {
    slots[slot] = resident;
    since[slot] = ++clock;
  }

  /// How many positions of its own a slot holds.
  int held(int slot) {
    var resident = slots[slot];
    return resident == null ? 0 : resident.tokens().length - resident.base();
  }

  /// Of the slots from `first` on the one that holds nothing, or the oldest.
  int oldest(int first) {
    int oldest = first;
    for (int slot = first; slot < slots.length; slot++) {
      if (slots[slot] == null) return slot;
      if (since[slot] < since[oldest]) oldest = slot;
    }
    return oldest;
  }

  /// Two slots change what they hold.
  void swap(int one, int other) {
    var kept = slots[one];
    slots[one] = slots[other];
    slots[other] = kept;
    long time = since[one];
    since[one] = since[other];
    since[other] = time;
  }

  /// A slot's content is being overwritten.
  void remove(int slot) {
    slots[slot] = null;
  }

  /// Forgets what goes on from segments that are no more.
  void forget(Collection<Segment> gone) {
    for (int slot = 0; slot < slots.length; slot++) {
      var resident = slots[slot];
      if (resident != null && resident.segment() != null && gone.contains(resident.segment())) {
        slots[slot] = null;
      }
    }
  }
}
