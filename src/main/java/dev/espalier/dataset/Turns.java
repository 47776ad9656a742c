package dev.espalier.dataset;

/// Which assistant messages of a line become examples. Those of `weight` 0 never do.
public enum Turns {
  /// Every one, as OpenAI trains them.
  ALL,
  /// The last one: the line is one held-out question, and what stands before it is given.
  LAST
}
