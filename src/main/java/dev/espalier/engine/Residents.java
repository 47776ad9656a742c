package dev.espalier.engine;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Which prompt each slot of the cache holds, also after its request has gone, so that the next
/// prompt that starts alike need not compute its start again.
///
/// Requests of one application share their instructions and tools, so most of a prompt is usually
/// there already.
final class Residents {
  private record Resident(int[] prompt, @Nullable Adapter adapter) {}

  private final @Nullable Resident[] slots;

  Residents(int slots) {
    this.slots = new Resident[slots];
  }

  /// A slot that holds the start of a prompt.
  ///
  /// @param length how many tokens of it; 0 for none
  record Start(int slot, int length) {}

  /// The slot with the longest start of a prompt; at least one token is left to compute.
  Start longest(int[] prompt, @Nullable Adapter adapter) {
    var best = new Start(0, 0);
    for (int slot = 0; slot < slots.length; slot++) {
      var resident = slots[slot];
      if (resident == null || !Objects.equals(resident.adapter(), adapter)) continue;
      int mismatch = Arrays.mismatch(resident.prompt(), prompt);
      int length = Math.min(mismatch < 0 ? prompt.length : mismatch, prompt.length - 1);
      if (length > best.length()) best = new Start(slot, length);
    }
    return best;
  }

  /// A slot holds that prompt now.
  void put(int slot, int[] prompt, @Nullable Adapter adapter) {
    slots[slot] = new Resident(prompt, adapter);
  }

  /// A slot holds what another one holds.
  void copy(int from, int to) {
    slots[to] = slots[from];
  }

  /// A slot's content is being overwritten.
  void remove(int slot) {
    slots[slot] = null;
  }
}
