package dev.espalier.grammar;

/// A text that a [Grammar] allows, as its tokens come.
public final class Matcher {
  private final Grammar grammar;
  private Grammar.State state;

  Matcher(Grammar grammar, Grammar.State start) {
    this.grammar = grammar;
    state = start;
  }

  /// The tokens that may come next, a bit each; not to be changed.
  public long[] allowed() {
    return grammar.allowed(state);
  }

  /// Goes on by a token that was allowed and does not end the text.
  public void accept(int token) {
    state = grammar.after(state, token);
  }
}
