package dev.espalier.store;

/// Static prompt text that an adapter learned to do without.
///
/// @param part where the text stands
/// @param text exactly what is removed
public record PruningRule(Part part, String text) {
  /// A part of a request.
  public enum Part {
    /// System and developer messages: the first occurrence of the text.
    SYSTEM,
    /// Tools: every `description` that is the text, whole.
    TOOL_DESCRIPTION
  }

  public PruningRule {
    if (text.isEmpty()) throw new IllegalArgumentException("a pruning rule needs a text to remove");
  }
}
