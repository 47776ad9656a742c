package dev.espalier.pretrain;

import java.util.ArrayList;
import java.util.List;

/// Facts that a system prompt tells and people ask for: questions that need no tool.
final class Facts {
  /// @param statement what the system prompt says, which is the answer too
  record Fact(String statement, String question) {}

  private final List<String> lines = Lines.of("facts.txt");
  private final Words words;

  Facts(Words words) {
    this.words = words;
  }

  List<Fact> draw(int count, Dice dice) {
    var out = new ArrayList<Fact>();
    for (var line : dice.some(lines, count)) {
      var sides = line.split(" \\| ");
      var values =
          new String[] {
            "n", Words.digits(dice, dice.between(1, 2)),
            "m", Words.digits(dice, dice.between(1, 2)),
            "w", words.word(dice),
            "x", words.word(dice),
            "p", words.names(dice, dice.between(1, 2))
          };
      out.add(new Fact(Phrases.fill(sides[0], dice, values), Phrases.fill(sides[1], dice, values)));
    }
    return out;
  }
}
