package dev.espalier.cli;

import dev.espalier.chat.ChatModel;
import dev.espalier.env.Environments;
import dev.espalier.env.RolloutConfig;
import dev.espalier.env.Rollouts;
import dev.espalier.env.Task;
import dev.espalier.env.Tasks;
import dev.espalier.env.Trajectory;
import dev.espalier.env.TrajectorySource;
import dev.espalier.eval.Preference;
import dev.espalier.eval.TaskSuccess;
import dev.espalier.judge.Judge;
import dev.espalier.rl.Evaluator;
import dev.espalier.rl.Evaluator.Success;
import dev.espalier.rl.Journal;
import dev.espalier.rl.Practice;
import dev.espalier.rl.Rewards;
import dev.espalier.stats.Interval;
import dev.espalier.store.PruningRules;
import dev.espalier.train.TrainingException;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Where a policy practises and where it is evaluated.
///
/// @param identity all of it that a run depends on, in words
/// @param sources of attempts, made as asked
/// @param rewarding whether the environment says what an attempt is worth
/// @param heldOut tasks that nobody practises on
/// @param closing is done at the end
record World(
    String identity,
    Function<RolloutConfig, TrajectorySource> sources,
    boolean rewarding,
    Tasks tasks,
    List<Task> heldOut,
    Runnable closing)
    implements AutoCloseable {
  private static final int TOGETHER = 64; // attempts of an evaluation

  /// A world of environments.
  static World of(
      String identity,
      String env,
      Environments.Maker maker,
      boolean rewarding,
      Tasks tasks,
      List<Task> heldOut) {
    var environments = Environments.of(Map.of(env, maker));
    return new World(
        identity,
        config -> new Rollouts(environments, config),
        rewarding,
        tasks,
        heldOut,
        () -> {});
  }

  /// How many held-out tasks a model finishes, at one greedy attempt each.
  TaskSuccess success(ChatModel model, RolloutConfig config) {
    return TaskSuccess.of(sources.apply(config.greedy()), heldOut, model, TOGETHER, 0);
  }

  /// @param identity what else the run depends on
  /// @param rules of the adapter that the policy starts from
  /// @throws IllegalArgumentException if nobody would say what an attempt is worth
  Practice practice(
      String identity, RolloutConfig config, Rewards rewards, PruningRules rules, Journal journal) {
    return new Practice(
        "%s, %s, %s".formatted(this.identity, config, identity),
        sources.apply(config),
        tasks,
        rewards,
        evaluator(config, rewards.judge(), journal),
        request -> rules.apply(request).request(),
        journal);
  }

  private Evaluator evaluator(RolloutConfig config, @Nullable Judge judge, Journal journal) {
    if (rewarding) return policy -> success(success(policy, config));
    if (judge == null) {
      throw new IllegalArgumentException(
          "this environment gives no reward: name a judge with --judge or --judge-adapter");
    }
    return policy -> preferred(judge, success(policy, config).trajectories(), journal);
  }

  private static Success success(TaskSuccess success) {
    return success(success.rate(), success.interval(), success.trajectories().size());
  }

  private static Success success(double rate, Interval interval, int tasks) {
    return new Success(rate, interval.low(), interval.high(), tasks);
  }

  /// Attempts against those of the start, which the store keeps as step 0: the start itself is at
  /// one half. A start of which no attempt counts is refused: nothing could be compared with it.
  private static Success preferred(Judge judge, List<Trajectory> attempts, Journal journal) {
    var start = journal.store().trajectories(journal.run(), 0);
    if (start.isEmpty()) {
      if (attempts.stream().noneMatch(Trajectory::counts)) {
        throw new TrainingException(
            "none of %d attempts of the start at held-out tasks counts: %s"
                .formatted(attempts.size(), attempts.getFirst().why()));
      }
      journal.store().put(journal.run(), 0, attempts);
      return success(0.5, new Interval(0.5, 0.5), attempts.size());
    }
    var preference = Preference.of(judge, attempts, start, 1);
    return success(preference.rate(), preference.interval(), preference.compared());
  }

  @Override
  public void close() {
    closing.run();
  }
}
