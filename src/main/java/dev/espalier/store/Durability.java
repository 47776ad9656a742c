package dev.espalier.store;

/// What a committed record survives.
public enum Durability {
  /// The death of the process (`synchronous=NORMAL`).
  PROCESS("NORMAL"),
  /// The loss of power (`synchronous=FULL`): one fsync a batch.
  POWER("FULL");

  private final String synchronous;

  Durability(String synchronous) {
    this.synchronous = synchronous;
  }

  String synchronous() {
    return synchronous;
  }
}
