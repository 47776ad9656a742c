package dev.espalier.cli;

import dev.espalier.chat.ChatModel;
import dev.espalier.env.Environments;
import dev.espalier.env.MarinaEnv;
import dev.espalier.env.Realism;
import dev.espalier.env.RolloutConfig;
import dev.espalier.env.Rollouts;
import dev.espalier.env.Task;
import dev.espalier.env.Tasks;
import dev.espalier.eval.TaskSuccess;
import dev.espalier.rl.Evaluator.Success;
import dev.espalier.rl.Journal;
import dev.espalier.rl.Practice;
import dev.espalier.rl.Rewards;
import dev.espalier.store.PruningRules;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/// Where a policy practises and where it is evaluated.
///
/// @param identity all of it that a run depends on, in words
/// @param heldOut tasks that nobody practises on
record World(String identity, Environments environments, Tasks tasks, List<Task> heldOut) {
  private static final int TOGETHER = 64; // attempts of an evaluation

  /// The harbour office.
  ///
  /// @param things what a task asks for, one after the other
  /// @param seed of the tasks to practise on
  /// @param heldOutSeed of the others
  static World portAlder(Realism realism, int things, long seed, long heldOutSeed, int heldOut) {
    return new World(
        "port-alder of %d things, %s, evaluated on %d of %d"
            .formatted(things, realism, heldOut, heldOutSeed),
        Environments.of(Map.of("port-alder", MarinaEnv.maker(realism))),
        number -> MarinaEnv.task("captured", seed, number, things),
        LongStream.range(0, heldOut)
            .mapToObj(number -> MarinaEnv.task("held-out", heldOutSeed, number, things))
            .toList());
  }

  /// How many held-out tasks a model finishes, at one greedy attempt each.
  TaskSuccess success(ChatModel model, RolloutConfig config) {
    return TaskSuccess.of(new Rollouts(environments, config.greedy()), heldOut, model, TOGETHER, 0);
  }

  /// @param identity what else the run depends on
  /// @param rules of the adapter that the policy starts from
  Practice practice(
      String identity, RolloutConfig config, Rewards rewards, PruningRules rules, Journal journal) {
    return new Practice(
        "%s, %s, %s".formatted(this.identity, config, identity),
        new Rollouts(environments, config),
        tasks,
        rewards,
        policy -> {
          var success = success(policy, config);
          var interval = success.interval();
          return new Success(success.rate(), interval.low(), interval.high(), heldOut.size());
        },
        request -> rules.apply(request).request(),
        journal);
  }
}
