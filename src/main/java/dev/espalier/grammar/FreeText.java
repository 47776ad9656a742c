package dev.espalier.grammar;

import static dev.espalier.grammar.Rule.choice;
import static dev.espalier.grammar.Rule.optional;
import static dev.espalier.grammar.Rule.sequence;
import static dev.espalier.grammar.Rule.text;
import static dev.espalier.grammar.Rule.times;

import dev.espalier.chat.ToolCallSyntax;

/// Answers in words, which are not read as a tool call.
final class FreeText {
  /// Any character.
  static final Rule ANY = other("");

  private static final Rule TEXT = endless(ANY);
  private static final String BLANK = " \t\n\u000B\f\r";
  private static final Rule BLANKS = endless(Rule.oneOf(BLANK));

  private FreeText() {}

  /// What a model may say that makes no call.
  ///
  /// @param token whether the syntax's marker is a token, which no text spells
  static Rule of(ToolCallSyntax syntax, boolean token) {
    if (syntax == ToolCallSyntax.LLAMA3) return withoutObject();
    var marker = syntax.marker();
    if (token || marker.isEmpty()) return TEXT;
    var first = marker.substring(0, 1); // which is in no marker twice
    return sequence(endless(other(first)), endless(unlike(marker, first, endless(other(first)))));
  }

  /// Not an object at the beginning, nor after a thought that is empty, and so is dropped.
  private static Rule withoutObject() {
    var after = sequence(text("</think>"), BLANKS, optional(unlessFirst("{")));
    var thought = optional(choice(unlessFirst("<"), unlike("</think>", "", TEXT), after));
    var think = sequence(text("<think>"), BLANKS, thought);
    var answer = optional(choice(unlessFirst("{<"), unlike("<think>", "", TEXT), think));
    return sequence(BLANKS, answer);
  }

  /// Text that begins with none of these characters and is not blank there.
  private static Rule unlessFirst(String characters) {
    return sequence(other(characters + BLANK), TEXT);
  }

  /// What begins with the first character of a word and does not go on to all of it.
  ///
  /// @param never characters that are not what comes instead of the word's next
  /// @param rest what comes after
  private static Rule unlike(String word, String never, Rule rest) {
    var ends = optional(sequence(other(word.charAt(1) + never), rest));
    var further = word.substring(1);
    var more = further.length() == 1 ? ends : choice(ends, unlike(further, never, rest));
    return sequence(text(word.substring(0, 1)), more);
  }

  private static Rule endless(Rule one) {
    return times(one, 0, Rule.ENDLESS);
  }

  /// A character other than these, which are ASCII.
  private static Rule other(String characters) {
    var ascii = ByteSet.range(0, 127).without(ByteSet.of(characters));
    return choice(new Rule.OneOf(ascii), JsonRules.BEYOND_ASCII);
  }
}
