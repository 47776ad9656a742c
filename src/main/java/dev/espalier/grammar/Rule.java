package dev.espalier.grammar;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/// What a text may be.
sealed interface Rule {
  /// No limit of a [Repeat].
  int ENDLESS = Integer.MAX_VALUE;

  /// The empty text.
  Rule EMPTY = new Sequence(List.of());

  /// One byte of these.
  record OneOf(ByteSet bytes) implements Rule {}

  /// These bytes, from one of them on.
  record Literal(String latin1, int from) implements Rule {
    int first() {
      return latin1.charAt(from);
    }
  }

  /// A token as such, not as the bytes that spell it.
  record Token(int id) implements Rule {}

  /// One after the other.
  record Sequence(List<Rule> parts) implements Rule {}

  /// Any one of these.
  record Choice(List<Rule> options) implements Rule {}

  /// The same several times.
  ///
  /// @param most [#ENDLESS] for no limit
  record Repeat(Rule one, int least, int most) implements Rule {
    public Repeat {
      if (least < 0 || most < least) {
        throw new IllegalArgumentException("from %d to %d times".formatted(least, most));
      }
    }
  }

  /// Another rule, by its name.
  record Reference(String name) implements Rule {}

  static Rule text(String text) {
    if (text.isEmpty()) return EMPTY;
    var bytes = text.getBytes(StandardCharsets.UTF_8);
    return new Literal(new String(bytes, StandardCharsets.ISO_8859_1), 0);
  }

  static Rule oneOf(String characters) {
    return new OneOf(ByteSet.of(characters));
  }

  static Rule range(int first, int last) {
    return new OneOf(ByteSet.range(first, last));
  }

  static Rule sequence(Rule... parts) {
    return new Sequence(List.of(parts));
  }

  static Rule choice(Rule... options) {
    return new Choice(List.of(options));
  }

  static Rule choice(List<Rule> options) {
    return options.size() == 1 ? options.getFirst() : new Choice(options);
  }

  static Rule optional(Rule rule) {
    return choice(EMPTY, rule);
  }

  static Rule times(Rule rule, int least, int most) {
    return new Repeat(rule, least, most);
  }

  /// Any of these texts.
  static Rule anyOf(String... texts) {
    return choice(Arrays.stream(texts).map(Rule::text).toList());
  }
}
