package dev.espalier.rl;

import dev.espalier.chat.Json;
import dev.espalier.rl.Ahead.Taken;
import dev.espalier.rl.Evaluator.Success;
import dev.espalier.rl.PolicyLearner.Learnt;
import dev.espalier.train.Checkpoint;
import dev.espalier.train.TrainingException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// How far a run has come, what it found best, and why it stopped if it did; on disk with the
/// learner's tensors.
final class RunState {
  private static final System.Logger LOG = System.getLogger(RunState.class.getName());
  private static final Duration CHECKPOINT_EVERY = Duration.ofMinutes(1);

  private final Path run;
  private final String identity;
  private final PolicyLearner learner;
  private final Metrics metrics;
  private final Guards guards = new Guards();

  private int step;
  private long nextTask;
  private @Nullable Success start;
  private @Nullable Success best;
  private int bestStep;
  private @Nullable String stopped;
  private final long opened = System.nanoTime();
  private double before; // seconds of earlier processes, up to the checkpoint
  private long saved = opened;
  private boolean judged;

  private RunState(Path run, String identity, PolicyLearner learner, Metrics metrics) {
    this.run = run;
    this.identity = identity;
    this.learner = learner;
    this.metrics = metrics;
  }

  /// The state of the run's newest checkpoint, which the learner is brought to; or of its start.
  static RunState open(
      Path run, RlConfig config, Practice practice, PolicyLearner learner, Metrics metrics) {
    var identity = identity(config, practice);
    var state = new RunState(run, identity, learner, metrics);
    var checkpoint = checkpoint(run, identity);
    if (checkpoint == null) {
      metrics.keepUntil(-1);
      return state;
    }
    var progress = checkpoint.progress();
    checkpoint.restore(learner.state());
    learner.resume(progress.path("updates").asInt());
    int longest = progress.path("longest").asInt(learner.longest());
    if (longest != learner.longest()) {
      LOG.log(
          System.Logger.Level.WARNING,
          "the memory that is free now lets attempts have {0} tokens, and let them have {1} when"
              + " {2} was written: the run goes on, but not to the same bits",
          learner.longest(),
          longest,
          checkpoint.folder());
    }
    state.read(progress);
    metrics.keepUntil(state.step);
    return state;
  }

  /// What a run must have in common with the one that it goes on from.
  static String identity(RlConfig config, Practice practice) {
    return config + " " + practice.identity();
  }

  /// The run's newest checkpoint, or null if there is none.
  ///
  /// @throws TrainingException if it is of a run with another identity
  static @Nullable Checkpoint checkpoint(Path run, String identity) {
    var checkpoint = Checkpoint.latest(run);
    if (checkpoint == null) return null;
    if (!checkpoint.progress().path("identity").asString("").equals(identity)) {
      throw new TrainingException(
          "%s is of a run with other settings: take another --name, or delete the folder %s"
              .formatted(checkpoint.folder(), run));
    }
    return checkpoint;
  }

  private void read(ObjectNode progress) {
    before = progress.path("seconds").asDouble(0);
    step = progress.path("step").asInt();
    nextTask = progress.path("next_task").asLong();
    start = success(progress.path("start"));
    best = success(progress.path("best"));
    bestStep = progress.path("best_step").asInt();
    stopped = progress.path("stopped").isNull() ? null : progress.path("stopped").asString();
    guards.resume(numbers(progress.path("rewards")), numbers(progress.path("divergences")));
  }

  int step() {
    return step;
  }

  long nextTask() {
    return nextTask;
  }

  @Nullable String stopped() {
    return stopped;
  }

  void stop(String why) {
    stopped = why;
    metrics.add(Json.object().put("event", "stopped").put("step", step).put("why", why));
  }

  /// A step was done.
  void learnt(Taken taken, Learnt learnt, double seconds) {
    var gathered = taken.gathered();
    step++;
    nextTask += gathered.tried();
    var line = Json.object().put("event", "step").put("step", step);
    line.put("reward", gathered.mean()).put("success", gathered.success());
    line.put("seconds", seconds).put("tokens", learnt.tokens()).put("kl", learnt.kl());
    line.put("loss", learnt.loss()).put("gradient_norm", learnt.gradientNorm());
    line.put("entropy", learnt.entropy()).put("sampler_kl", learnt.samplerKl());
    line.put("clipped", learnt.clipped()).put("value_loss", learnt.valueLoss());
    line.put("length", learnt.length()).put("reward_spread", gathered.spread());
    line.put("groups", gathered.groups().size()).put("groups_tried", gathered.tried());
    line.put("groups_flat", gathered.flat()).put("groups_unscored", gathered.unscored());
    line.put("staleness", taken.staleness());
    line.put("attempts_failed", gathered.failed()).put("parameters", learner.parameters());
    gathered.sources().forEach(line.putObject("rewards")::put);
    metrics.add(line);
    var why = guards.collapsed(gathered.mean(), gathered.spread(), learnt.kl());
    if (why != null) stop(why);
  }

  /// The policy was evaluated; the best so far is kept.
  void judged(int at, Success success) {
    judged = true;
    if (at == 0) start = success;
    if (best == null || success.rate() > best.rate()) {
      best = success;
      bestStep = at;
      learner.save(run.resolve("best"));
    }
    metrics.add(Grpo.line(at, success));
  }

  /// Saves a checkpoint if the last is old, or there is news.
  void save() {
    if (!judged && System.nanoTime() - saved < CHECKPOINT_EVERY.toNanos()) return;
    var progress = Json.object().put("step", step).put("next_task", nextTask);
    progress.put("identity", identity).put("updates", learner.updates());
    progress.put("longest", learner.longest()).put("seconds", seconds());
    progress.set("start", json(start));
    progress.set("best", json(best));
    progress.put("best_step", bestStep).put("stopped", stopped);
    guards.rewards().forEach(progress.putArray("rewards")::add);
    guards.divergences().forEach(progress.putArray("divergences")::add);
    Checkpoint.save(run, step, learner.state(), progress, 1);
    saved = System.nanoTime();
    judged = false;
  }

  Grpo.Result result() {
    return new Grpo.Result(
        run.resolve("best"),
        step,
        bestStep,
        Objects.requireNonNull(start),
        Objects.requireNonNull(best),
        stopped,
        seconds());
  }

  private double seconds() {
    return before + (System.nanoTime() - opened) / 1e9;
  }

  private static List<Double> numbers(JsonNode array) {
    return array.valueStream().map(JsonNode::asDouble).toList();
  }

  private static @Nullable JsonNode json(@Nullable Success success) {
    return success == null ? null : Json.MAPPER.valueToTree(success);
  }

  private static @Nullable Success success(JsonNode json) {
    return json.isObject() ? Json.MAPPER.convertValue(json, Success.class) : null;
  }
}
