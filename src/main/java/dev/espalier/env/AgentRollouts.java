package dev.espalier.env;

import dev.espalier.chat.ChatModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Lets agents that drive themselves attempt tasks with the policy: each attempt is an episode that
/// an agent takes, and its reward is the one that the agent posts.
///
/// The time-out of the config is the longest that an agent may be silent. What many agents ask at
/// the same time is decoded together, as it comes; so, unlike lockstep, the outcome depends on
/// time.
///
/// @param absence how long to wait where no agent has an episode or asks for one
public record AgentRollouts(Episodes episodes, RolloutConfig config, Duration absence)
    implements TrajectorySource {
  public AgentRollouts {
    if (!absence.isPositive()) {
      throw new IllegalArgumentException("the wait for agents must be positive, not " + absence);
    }
  }

  @Override
  public List<TrajectoryGroup> run(List<Task> tasks, ChatModel policy, long seed) {
    var threads = Executors.newVirtualThreadPerTaskExecutor();
    try {
      var attempts = new ArrayList<Future<Trajectory>>();
      for (int t = 0; t < tasks.size(); t++) {
        for (int member = 0; member < config.groupSize(); member++) {
          long own = Seeds.of(Seeds.of(seed, t), member);
          var episode = episodes.open(tasks.get(t), member, config, policy, own);
          attempts.add(threads.submit(() -> attempt(episode)));
        }
      }
      var groups = groups(tasks, attempts);
      Dropped.of(groups).report();
      return groups;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the rollouts were interrupted", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("an attempt failed", e.getCause());
    } finally {
      threads.shutdownNow();
    }
  }

  private Trajectory attempt(Episode first) throws InterruptedException {
    var episode = first;
    for (int trial = 0; ; trial++) {
      var outcome = episodes.outcome(episode, absence);
      boolean last = trial == config.retries() || !episode.taken();
      if (last || outcome.counts()) return outcome;
      episode = episodes.open(episode.again());
    }
  }

  private List<TrajectoryGroup> groups(List<Task> tasks, List<Future<Trajectory>> attempts)
      throws InterruptedException, ExecutionException {
    var groups = new ArrayList<TrajectoryGroup>();
    for (int t = 0; t < tasks.size(); t++) {
      var members = new ArrayList<Trajectory>();
      for (int member = 0; member < config.groupSize(); member++) {
        members.add(attempts.get(t * config.groupSize() + member).get());
      }
      groups.add(new TrajectoryGroup(tasks.get(t), members));
    }
    return groups;
  }
}
