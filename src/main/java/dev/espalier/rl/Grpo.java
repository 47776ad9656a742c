package dev.espalier.rl;

import dev.espalier.chat.Json;
import dev.espalier.engine.BaseModel;
import dev.espalier.rl.Evaluator.Success;
import dev.espalier.rl.PolicyLearner.Learnt;
import dev.espalier.train.NotFiniteException;
import dev.espalier.train.TrainingException;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// The loop of the GRPO family and of PPO, which differ by [Algorithm] alone: attempt, score,
/// compare, learn, and now and then see how good the policy has become.
///
/// Differs from the papers: the reference policy is the start; where only the group is compared,
/// groups whose attempts all earned the same are dropped, unless entropy or KL is to be learnt from
/// them; log π_old is what the sampler noted, for sampler and trainer are the same code. A run is a
/// function of its config and seed: killed and started again with the same folder, it ends with the
/// same bits.
public final class Grpo {
  private Grpo() {}

  /// What a run did.
  ///
  /// @param adapter the PEFT folder of the best policy
  /// @param start how good it was before the first step
  /// @param stopped why it ended before its last step; null if it did not
  /// @param seconds that it took, those of earlier processes that were not done again among them
  public record Result(
      Path adapter,
      int steps,
      int bestStep,
      Success start,
      Success best,
      @Nullable String stopped,
      double seconds) {}

  /// Whether [#run] would go on from a checkpoint.
  ///
  /// @throws TrainingException if the folder is of a run with other settings
  public static boolean continues(RlConfig config, Practice practice, Path run) {
    return RunState.checkpoint(run, RunState.identity(config, practice)) != null;
  }

  /// Runs to the end, from the newest checkpoint of the run if there is one.
  ///
  /// @param start the PEFT folder to start from; null for a new adapter
  /// @param run the run's folder: checkpoints, `metrics.jsonl` and `best`
  /// @param progress is handed a record a step and a record an evaluation
  /// @throws TrainingException if nothing was to be learnt, or a loss is not finite
  public static Result run(
      BaseModel base,
      @Nullable Path start,
      RlConfig config,
      Practice practice,
      Path run,
      Consumer<ObjectNode> progress) {
    try (var learner = new PolicyLearner(base, start, config, practice);
        var metrics = Metrics.open(run, practice.journal(), progress)) {
      var state = RunState.open(run, config, practice, learner, metrics);
      try (var ahead = new Ahead(practice, config, learner, state.step(), state.nextTask())) {
        if (state.step() == 0) state.judged(0, ahead.evaluate(0));
        while (state.step() < config.steps() && state.stopped() == null) {
          int step = state.step();
          long begin = System.nanoTime();
          var taken = ahead.take(step);
          if (taken.gathered().groups().isEmpty()) {
            state.stop(nothing(taken.gathered(), step));
            if (!due(config, step)) state.judged(step, ahead.evaluate(step));
            state.save();
            break;
          }
          Learnt report;
          try {
            report = learner.learn(taken, config.rate(step));
          } catch (NotFiniteException e) {
            if (step == 0) throw e;
            state.stop(String.valueOf(e.getMessage())); // the best policy so far is what it leaves
            break;
          }
          state.learnt(taken, report, (System.nanoTime() - begin) / 1e9);
          boolean last = state.step() == config.steps() || state.stopped() != null;
          if (last || due(config, state.step())) {
            state.judged(state.step(), ahead.evaluate(state.step()));
          }
          state.save();
        }
      }
      return state.result();
    }
  }

  private static boolean due(RlConfig config, int step) {
    return config.evaluateEvery() > 0 && step % config.evaluateEvery() == 0;
  }

  /// Nothing to learn from: fine if something was learnt before and nothing is left, else an error.
  private static String nothing(Gathering.Gathered gathered, int step) {
    if (gathered.flat() > 0 && gathered.flat() == gathered.tried() - gathered.unscored()) {
      var same =
          "all attempts at each of %d tasks earned the same, %.3f in the mean"
              .formatted(gathered.tried(), gathered.mean());
      if (step > 0) return same;
      throw new TrainingException(
          same + ": nothing was learnt. Take tasks that the start solves now and then");
    }
    throw new TrainingException(
        "a step without a group to learn from: of %d groups %d could not be scored, %d attempts failed"
            .formatted(gathered.tried(), gathered.unscored(), gathered.failed()));
  }

  /// The record of an evaluation.
  static ObjectNode line(int step, Success success) {
    var json = Json.object().put("event", "evaluation").put("step", step);
    json.put("success", success.rate()).put("n", success.tasks());
    json.putArray("success_ci").add(success.low()).add(success.high());
    return json;
  }
}
