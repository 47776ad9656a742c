package dev.espalier.judge;

import dev.espalier.env.Dropped;
import dev.espalier.env.TrajectoryGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Compares attempts at one task. Many threads may ask it.
public interface Judge {
  /// The most groups that are judged at the same time.
  int AT_ONCE = 16;

  /// Scores every attempt of the group.
  ///
  /// @throws JudgeException if no whole verdict could be had
  Verdict judge(TrajectoryGroup group);

  /// Scores every attempt of the group, or notes why no whole verdict could be had.
  default Optional<Verdict> judge(TrajectoryGroup group, Dropped unscored) {
    try {
      return Optional.of(judge(group));
    } catch (JudgeException e) {
      unscored.add(String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  /// Scores groups side by side, and notes of each without a verdict why. Interrupted, it waits for
  /// none.
  ///
  /// @return the verdicts, in the groups' order
  /// @throws IllegalStateException if the thread is interrupted
  default List<Optional<Verdict>> judgeAll(List<TrajectoryGroup> groups, Dropped unscored) {
    var threads = Thread.ofVirtual().name("judge-", 0).factory();
    try (var pool = Executors.newFixedThreadPool(AT_ONCE, threads)) {
      try {
        var asked = new ArrayList<Future<Optional<Verdict>>>();
        for (var group : groups) asked.add(pool.submit(() -> judge(group, unscored)));
        var verdicts = new ArrayList<Optional<Verdict>>();
        for (var one : asked) verdicts.add(one.get());
        return verdicts;
      } finally {
        pool.shutdownNow(); // closing alone would wait for judges, minutes each
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException defect) throw defect;
      throw new IllegalStateException("the judge failed", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("judging was interrupted", e);
    }
  }
}
