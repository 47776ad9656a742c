package dev.espalier.engine;

/// An adapter that stays loaded until it is given back.
///
/// @param giveBack run once, when the last token that it is needed for was computed
public record Lease(Adapter adapter, Runnable giveBack) {
  /// An adapter that whoever loaded it closes.
  static Lease of(Adapter adapter) {
    return new Lease(adapter, () -> {});
  }
}
