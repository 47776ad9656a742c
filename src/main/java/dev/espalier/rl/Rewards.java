package dev.espalier.rl;

import dev.espalier.env.Trajectory;
import dev.espalier.env.TrajectoryGroup;
import java.util.List;

/// Where rewards beyond the environment's come from: a judge, a length, a format.
///
/// A group that could not be scored is left out of the answer.
public interface Rewards {
  /// The environment's reward and no other.
  Rewards ENVIRONMENT =
      new Rewards() {
        @Override
        public List<TrajectoryGroup> score(List<TrajectoryGroup> groups) {
          return groups;
        }

        @Override
        public double total(Trajectory trajectory) {
          return trajectory.reward(Trajectory.ENV);
        }
      };

  /// The groups with every reward added to their trajectories.
  List<TrajectoryGroup> score(List<TrajectoryGroup> groups);

  /// What training takes as the reward of a scored trajectory.
  double total(Trajectory trajectory);
}
