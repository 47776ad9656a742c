package dev.espalier.model;

import dev.espalier.tensor.Scope;
import org.jspecify.annotations.Nullable;

/// What the way forward through the blocks leaves for the way back.
public enum Activations {
  /// Everything that it needs.
  KEPT,
  /// What each block began with; the rest is computed again, a block at a time, which takes about a
  /// third more time (activation checkpointing, arXiv 1604.06174).
  RECOMPUTED;

  /// What a block's numbers live in; null where they stay.
  @Nullable Scope ofBlock() {
    return this == KEPT ? null : new Scope();
  }
}
