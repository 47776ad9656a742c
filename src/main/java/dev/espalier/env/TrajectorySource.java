package dev.espalier.env;

import dev.espalier.chat.ChatModel;
import java.util.List;

/// Where attempts come from: environments that are stepped here, or agents that drive themselves.
public interface TrajectorySource {
  /// How attempts are made.
  RolloutConfig config();

  /// A group of attempts at each task, in the tasks' order. When it returns, nothing is being asked
  /// of the policy any more. Interrupted, it abandons all of them.
  ///
  /// @throws IllegalStateException if the thread is interrupted
  List<TrajectoryGroup> run(List<Task> tasks, ChatModel policy, long seed);
}
