package dev.espalier.grammar;

import dev.espalier.grammar.Rule.Choice;
import dev.espalier.grammar.Rule.Literal;
import dev.espalier.grammar.Rule.OneOf;
import dev.espalier.grammar.Rule.Reference;
import dev.espalier.grammar.Rule.Repeat;
import dev.espalier.grammar.Rule.Sequence;
import dev.espalier.grammar.Rule.Token;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A rule as an automaton over the tokens of a vocabulary.
///
/// A state is the set of all that may come next, each as a stack of rules, so that rules may be
/// ambiguous and may contain themselves. States, what follows from them, and the tokens that they
/// allow are worked out when they are first needed and kept. Safe for use by many threads.
public final class Grammar {
  /// What is still to come, its first rule on top; null below is the end of the text.
  private static final class Stack {
    final @Nullable Rule top; // null at the end of the text
    final @Nullable Stack below;
    private @Nullable Stack clamped; // once it was worked out

    Stack(@Nullable Rule top, @Nullable Stack below) {
      this.top = top;
      this.below = below;
    }

    @SuppressWarnings("ReferenceEquality") // of rules and of stacks, as said above
    @Override
    public boolean equals(@Nullable Object other) { // stacks below are interned
      return other instanceof Stack stack && below == stack.below && same(top, stack.top);
    }

    @Override
    public int hashCode() {
      return 31 * hash(top) + System.identityHashCode(below);
    }

    /// Rules are the same objects wherever they stand, but for those that are made on the way.
    @SuppressWarnings("ReferenceEquality")
    private static boolean same(@Nullable Rule one, @Nullable Rule other) {
      if (one instanceof Literal && other instanceof Literal) return one.equals(other);
      if (one instanceof Repeat a && other instanceof Repeat b) {
        return a.one() == b.one() && a.least() == b.least() && a.most() == b.most();
      }
      return one == other;
    }

    private static int hash(@Nullable Rule rule) {
      return switch (rule) {
        case Literal literal -> literal.hashCode();
        case Repeat(var one, int least, int most) ->
            31 * (31 * System.identityHashCode(one) + least) + most;
        case null, default -> System.identityHashCode(rule);
      };
    }
  }

  /// A set of stacks with a byte or a token on top, or nothing.
  ///
  /// @param runs whether a run of a JSON string's characters may go on for a whole token
  private record Key(Set<Stack> stacks, boolean runs) {}

  /// Where a text is.
  static final class State {
    private final Key key;
    private final @Nullable State[] next = new State[256];
    private long @Nullable [] allowed;

    private State(Key key) {
      this.key = key;
    }
  }

  /// What all plain tokens consist of.
  private static final Set<Rule> CHARACTERS =
      Set.of(JsonRules.CHARACTER, LineRules.CHARACTER, FreeText.ANY);

  private static final int MOST_STATES = 50_000;

  private final Map<String, Rule> rules;
  private final Vocabulary vocabulary;
  private final Map<Stack, Stack> stacks = new HashMap<>();
  private final Map<Key, State> states = new HashMap<>();
  private final Stack end = new Stack(null, null);
  private final State dead = new State(new Key(Set.of(), false));
  private final State start;

  /// @param rules that references name
  Grammar(Rule rule, Map<String, Rule> rules, Vocabulary vocabulary) {
    this.rules = Map.copyOf(rules);
    this.vocabulary = vocabulary;
    var opened = new Opened();
    opened.add(push(rule, end));
    start = opened.state();
  }

  /// A text at its beginning.
  public Matcher matcher() {
    return new Matcher(this, start);
  }

  /// The tokens that may come next, a bit each, those that end the text where it may end.
  synchronized long[] allowed(State state) {
    if (state.allowed == null) {
      var same = clamped(state);
      if (same.allowed == null) same.allowed = mask(same);
      state.allowed = same.allowed;
    }
    return state.allowed;
  }

  /// What follows from a token that is allowed.
  synchronized State after(State state, int token) {
    var opened = new Opened();
    for (var stack : state.key.stacks) {
      if (stack.top instanceof Token(int id) && id == token) opened.add(stack.below);
    }
    var bytes = vocabulary.bytes(token);
    var after = bytes.length == 0 ? dead : state;
    for (byte one : bytes) after = after(after, one);
    if (opened.leaves.isEmpty()) return after;
    opened.leaves.addAll(after.key.stacks);
    return opened.state();
  }

  private State after(State state, byte one) {
    int value = one & 0xff;
    var known = state.next[value];
    if (known != null) return known;
    var opened = new Opened();
    for (var stack : state.key.stacks) {
      switch (stack.top) {
        case OneOf(var bytes) when bytes.has(value) -> opened.add(stack.below);
        case Literal literal when literal.first() == value -> {
          int left = literal.from() + 1;
          boolean done = left == literal.latin1().length();
          opened.add(done ? stack.below : push(new Literal(literal.latin1(), left), stack.below));
        }
        case null, default -> {}
      }
    }
    var after = opened.state();
    state.next[value] = after;
    return after;
  }

  private Stack push(Rule top, @Nullable Stack below) {
    var stack = new Stack(top, below);
    return stacks.computeIfAbsent(stack, it -> it);
  }

  /// Stacks opened up until a byte, a token or the end is on top.
  private final class Opened {
    private final Set<Stack> seen = new HashSet<>();
    private final Set<Stack> leaves = new LinkedHashSet<>();
    private boolean runs;

    void add(@Nullable Stack stack) {
      if (stack == null || !seen.add(stack)) return;
      switch (stack.top) {
        case null -> leaves.add(stack);
        case OneOf _, Literal _, Token _ -> leaves.add(stack);
        case Sequence(var parts) -> add(pushed(parts, stack.below));
        case Choice(var options) -> {
          for (var option : options) add(push(option, stack.below));
        }
        case Repeat repeat -> repeat(repeat, stack.below);
        case Reference(var name) -> add(push(Objects.requireNonNull(rules.get(name)), stack.below));
      }
    }

    private @Nullable Stack pushed(List<Rule> parts, @Nullable Stack below) {
      var stack = below;
      for (int i = parts.size() - 1; i >= 0; i--) stack = push(parts.get(i), stack);
      return stack;
    }

    private void repeat(Repeat repeat, @Nullable Stack below) {
      if (CHARACTERS.contains(repeat.one()) && repeat.most() > vocabulary.longest()) runs = true;
      if (repeat.least() == 0) add(below);
      if (repeat.most() == 0) return;
      int most = repeat.most() == Rule.ENDLESS ? Rule.ENDLESS : repeat.most() - 1;
      var rest = new Repeat(repeat.one(), Math.max(0, repeat.least() - 1), most);
      add(push(repeat.one(), push(rest, below)));
    }

    State state() {
      if (leaves.isEmpty()) return dead;
      if (states.size() > MOST_STATES) { // they are only kept to be found again
        states.clear();
        stacks.clear();
      }
      return states.computeIfAbsent(new Key(Set.copyOf(leaves), runs), State::new);
    }
  }

  /// A state that allows the same tokens, and is the same for all that differ only in how often
  /// something may still come, where that is more often than a token can say it.
  private State clamped(State state) {
    var leaves = new HashSet<Stack>();
    for (var stack : state.key.stacks) leaves.add(clamped(stack));
    if (leaves.equals(state.key.stacks)) return state;
    return states.computeIfAbsent(new Key(Set.copyOf(leaves), state.key.runs), State::new);
  }

  private Stack clamped(Stack stack) {
    if (stack.top == null || stack.below == null) return stack;
    if (stack.clamped != null) return stack.clamped;
    var top = stack.top;
    if (top instanceof Repeat(var one, int least, int most)) {
      int more = vocabulary.longest() + 1;
      if (least > more || most > more) {
        top = new Repeat(one, Math.min(least, more), most > more ? Rule.ENDLESS : most);
      }
    }
    stack.clamped = push(top, clamped(stack.below));
    return stack.clamped;
  }

  private long[] mask(State state) {
    var mask = new long[(vocabulary.size() + 63) / 64];
    for (var stack : state.key.stacks) {
      if (stack.top == null) for (int stop : vocabulary.stops()) allow(mask, stop);
      if (stack.top instanceof Token(int id)) allow(mask, id);
    }
    walk(vocabulary.others(), 0, state, mask);
    if (state.key.runs) {
      var plain = vocabulary.plain();
      for (int i = 0; i < mask.length; i++) mask[i] |= plain[i];
    } else {
      walk(vocabulary.plainTrie(), 0, state, mask);
    }
    return mask;
  }

  private void walk(Vocabulary.Trie trie, int node, State state, long[] mask) {
    for (int i = trie.ends()[node]; i < trie.ends()[node + 1]; i++) allow(mask, trie.tokens()[i]);
    for (int i = trie.begins()[node]; i < trie.begins()[node + 1]; i++) {
      var after = after(state, trie.bytes()[i]);
      if (after != dead) walk(trie, trie.nodes()[i], after, mask);
    }
  }

  private static void allow(long[] mask, int token) {
    mask[token >> 6] |= 1L << token;
  }
}
