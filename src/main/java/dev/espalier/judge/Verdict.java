package dev.espalier.judge;

import java.util.List;

/// What a judge made of a group.
///
/// @param rubric the version of the rubric, of the judge and of how it was asked
/// @param scores of the attempts in the group's order, each in 0..1
/// @param explanations likewise; empty where the judge gave none
/// @param firstWins how much more often than by chance an attempt won against one that was shown
///   after it, −0.5 to 0.5
/// @param calls how many requests it took
public record Verdict(
    String rubric, List<Double> scores, List<String> explanations, double firstWins, int calls) {
  public Verdict {
    scores = List.copyOf(scores);
    explanations = List.copyOf(explanations);
    if (scores.size() != explanations.size()) {
      throw new IllegalArgumentException("a verdict explains each score, if with nothing");
    }
  }
}
