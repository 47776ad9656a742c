package dev.espalier.eval;

import dev.espalier.chat.ChatModel;
import dev.espalier.env.Task;
import dev.espalier.env.Trajectory;
import dev.espalier.env.TrajectoryGroup;
import dev.espalier.env.TrajectorySource;
import dev.espalier.stats.Interval;
import dev.espalier.stats.Proportion;
import java.util.ArrayList;
import java.util.List;

/// How many held-out tasks a model finishes, by the environment's own reward.
///
/// @param trajectories one attempt a task, in the tasks' order
public record TaskSuccess(List<Trajectory> trajectories) {
  private static final double LEVEL = 0.95;

  /// Lets the model attempt every task.
  ///
  /// @param source of one attempt a task; greedy, to repeat
  /// @param together how many tasks at once
  public static TaskSuccess of(
      TrajectorySource source, List<Task> tasks, ChatModel model, int together, long seed) {
    var trajectories = new ArrayList<Trajectory>();
    for (int from = 0; from < tasks.size(); from += together) {
      var some = tasks.subList(from, Math.min(from + together, tasks.size()));
      for (TrajectoryGroup group : source.run(some, model, seed + from)) {
        trajectories.addAll(group.trajectories());
      }
    }
    return new TaskSuccess(trajectories);
  }

  /// Whether each task was finished; an attempt that failed through no fault of the model's counts
  /// against it here.
  public boolean[] finished() {
    var out = new boolean[trajectories.size()];
    for (int i = 0; i < out.length; i++) {
      out[i] = trajectories.get(i).reward(Trajectory.ENV) >= 1;
    }
    return out;
  }

  public double rate() {
    return (double) count() / trajectories.size();
  }

  private int count() {
    int count = 0;
    for (boolean one : finished()) if (one) count++;
    return count;
  }

  /// Wilson's 95 % interval of [#rate].
  public Interval interval() {
    return Proportion.wilson(count(), trajectories.size(), LEVEL);
  }
}
