package dev.espalier.judge;

import dev.espalier.env.Dropped;
import dev.espalier.env.TrajectoryGroup;
import java.util.Optional;

/// Compares attempts at one task.
public interface Judge {
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
}
