package dev.espalier.judge;

import dev.espalier.env.TrajectoryGroup;

/// Compares attempts at one task.
public interface Judge {
  /// Scores every attempt of the group.
  ///
  /// @throws JudgeException if no whole verdict could be had
  Verdict judge(TrajectoryGroup group);
}
