package dev.espalier.pretrain;

import dev.espalier.pretrain.Conversation.Call;
import dev.espalier.pretrain.Conversation.Result;
import dev.espalier.pretrain.Conversation.Say;
import dev.espalier.pretrain.Conversation.System;
import dev.espalier.pretrain.Conversation.User;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The distinct words of running text.
final class Lexicon {
  private static final Pattern WORD = Pattern.compile("(?<![A-Za-z])[A-Za-z]{3,14}(?![A-Za-z])");

  private Lexicon() {}

  /// The words of the dialogues, lower case, in order; without data those of the project's own
  /// lists.
  static List<String> of(@Nullable Sgd sgd) {
    var counts = new TreeMap<String, Integer>();
    for (var line : Lines.of("words.txt")) count(counts, line + " " + line);
    if (sgd != null) {
      for (var dialogue : sgd.dialogues()) {
        for (var turn : dialogue.turns()) {
          switch (turn) {
            case User(var text) -> count(counts, text);
            case Say(var text) -> count(counts, text);
            case Result(var text) -> count(counts, text);
            case System _, Call _ -> {}
          }
        }
      }
    }
    // A word seen once is often a slip of the keyboard.
    return counts.keySet().stream().filter(word -> counts.getOrDefault(word, 0) > 1).toList();
  }

  private static void count(Map<String, Integer> counts, String text) {
    WORD.matcher(text)
        .results()
        .forEach(match -> counts.merge(match.group().toLowerCase(Locale.ROOT), 1, Integer::sum));
  }
}
