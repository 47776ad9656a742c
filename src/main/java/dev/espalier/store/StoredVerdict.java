package dev.espalier.store;

import java.util.List;

/// What a judge made of a group of attempts.
///
/// @param run the run that made the attempts
/// @param task the task's id, which names the group in its run
/// @param rubric the version of the rubric it went by, of the judge and of how it was asked
/// @param calls how many requests it took
public record StoredVerdict(String run, String task, String rubric, List<Score> scores, int calls) {
  /// What one attempt was given.
  public record Score(int member, double score, String explanation) {}

  public StoredVerdict {
    scores = List.copyOf(scores);
  }
}
