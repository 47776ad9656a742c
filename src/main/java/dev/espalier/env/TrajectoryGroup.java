package dev.espalier.env;

import java.util.List;

/// Attempts at one task, to be compared with each other.
public record TrajectoryGroup(Task task, List<Trajectory> trajectories) {
  public TrajectoryGroup {
    trajectories = List.copyOf(trajectories);
  }

  /// The attempts that say something about the policy.
  public List<Trajectory> counting() {
    return trajectories.stream().filter(Trajectory::counts).toList();
  }
}
