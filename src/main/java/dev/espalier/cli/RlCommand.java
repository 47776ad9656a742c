package dev.espalier.cli;

import dev.espalier.chat.Json;
import dev.espalier.engine.BaseModel;
import dev.espalier.env.RolloutConfig;
import dev.espalier.rl.Grpo;
import dev.espalier.rl.Journal;
import dev.espalier.rl.Practice;
import dev.espalier.rl.RlConfig;
import dev.espalier.store.Adapter;
import dev.espalier.store.Durability;
import dev.espalier.store.PruningRules;
import dev.espalier.store.Run;
import dev.espalier.store.Store;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/// `espalier rl`: an adapter that learns by trying.
@Command(
    name = "rl",
    description = "Reinforcement learning of an adapter in an environment.",
    mixinStandardHelpOptions = true)
final class RlCommand implements Callable<Integer> {
  static final String RUN_PREFIX = "rl/";

  @Option(names = "--model", description = "The base model's folder (default: the built-in one).")
  private Path model = BuiltInModel.folder();

  @Mixin private final DtypeOption dtype = new DtypeOption();

  @Option(names = "--adapter", description = "The adapter to start from (default: a new one).")
  private @Nullable String adapter;

  @Option(names = "--name", required = true, description = "What the adapter will be called.")
  private String name = "";

  @Mixin private final WorldOptions world = new WorldOptions();

  @Mixin private final AlgorithmOptions algorithm = new AlgorithmOptions();

  @Mixin private final RewardOptions rewards = new RewardOptions();

  @Option(names = "--steps", description = "Batches to learn from (default: ${DEFAULT-VALUE}).")
  private int steps = 40;

  @Option(names = "--groups", description = "Tasks of a batch (default: ${DEFAULT-VALUE}).")
  private int groups = 8;

  @Option(names = "--group-size", description = "Attempts at a task (default: ${DEFAULT-VALUE}).")
  private int groupSize = 8;

  @Option(names = "--rank", description = "Of a new adapter (default: ${DEFAULT-VALUE}).")
  private int rank = 8;

  @Option(
      names = "--lr",
      description = "The learning rate, which falls to a tenth (default: ${DEFAULT-VALUE}).")
  private double learningRate = 5e-4;

  @Option(names = "--critic-lr", description = "PPO's critic's (default: ${DEFAULT-VALUE}).")
  private double criticRate = 1e-3;

  @Option(names = "--max-turns", description = "Of an attempt (default: ${DEFAULT-VALUE}).")
  private int maxTurns = 8;

  @Option(names = "--max-tokens", description = "Of a turn (default: ${DEFAULT-VALUE}).")
  private int maxTokens = 96;

  @Option(
      names = "--temperature",
      description =
          "Attempts are made at, above 0 and at most 2; evaluations are greedy (default: ${DEFAULT-VALUE}).")
  private double temperature = 1;

  @Option(
      names = "--evaluate-every",
      description = "Steps between evaluations (default: ${DEFAULT-VALUE}).")
  private int evaluateEvery = 10;

  @Option(
      names = "--staleness",
      description =
          "How many steps the policy that makes attempts may be behind: above 0 they are made while others train, and a killed run ends with other bits (default: ${DEFAULT-VALUE}).")
  private int staleness;

  @Option(names = "--seed", description = "The run's seed (default: ${DEFAULT-VALUE}).")
  private long seed = 1;

  @Option(names = "--data", description = "The data folder (default: ${DEFAULT-VALUE}).")
  private Path data = Path.of("espalier-data");

  @Option(names = "--json", description = "One JSON object a line on standard output.")
  private boolean json;

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    if (spec == null) throw new IllegalStateException("picocli sets the spec");
    Teaching.checkName(name, model);
    var practising = algorithm.algorithm();
    if (groupSize < 2 && !practising.hasCritic()) {
      throw new IllegalArgumentException(
          "--group-size must be at least 2: only ppo learns from an attempt by itself");
    }
    var attempts =
        new RolloutConfig(groupSize, maxTurns, maxTokens, temperature, world.patience(), 1)
            .sampled();
    var out = spec.commandLine().getOut();
    var bar = new ProgressBar("practising", out);
    var folder = data.resolve("runs").resolve(name);
    try (var store = Store.open(data, Durability.PROCESS);
        var base = checked(dtype.loadToTrain(model));
        var judge = rewards.openJudge(base, data);
        var practised = world.world(seed, groups * groupSize, base.format().tokenizer()::bytes)) {
      var start = start(store);
      var config =
          new RlConfig(
              practising,
              steps,
              groups,
              learningRate,
              rank,
              32,
              criticRate,
              evaluateEvery,
              seed,
              staleness);
      var journal = new Journal(store, RUN_PREFIX + name);
      var practice = practice(base, practised, attempts, start, judge, journal);
      var from = start == null ? null : Path.of(start.path());
      // a run that begins anew has nothing of what an earlier try left
      if (!Grpo.continues(config, practice, folder)) store.deleteRun(journal.run());
      var began = began(store, journal.run());
      store.put(run(journal, "running", began, config, null));
      try {
        var result = Grpo.run(base, from, config, practice, folder, line -> show(out, bar, line));
        var summary = summary(result);
        Teaching.keep(store, name, base, rules(start), result.adapter(), summary);
        store.put(run(journal, "done", began, config, summary));
        out.println(json ? summary : sentence(result));
      } catch (RuntimeException | Error e) {
        store.put(run(journal, "failed", began, config, null));
        throw e;
      }
      out.flush();
    }
    return 0;
  }

  private BaseModel checked(BaseModel base) {
    try {
      Teaching.checkRank(base, adapter == null ? rank : 0);
      return base;
    } catch (IllegalArgumentException e) {
      base.close();
      throw e;
    }
  }

  /// When the run began, maybe in an earlier process.
  private static Instant began(Store store, String id) {
    return store.runs().stream()
        .filter(run -> run.id().equals(id))
        .map(Run::started)
        .findFirst()
        .orElseGet(Instant::now);
  }

  private static Run run(
      Journal journal,
      String status,
      Instant began,
      RlConfig config,
      @Nullable ObjectNode summary) {
    return new Run(
        journal.run(),
        "rl",
        status,
        began,
        summary == null ? null : Instant.now(),
        Json.write(config.toString()),
        summary == null ? null : summary.toString());
  }

  private @Nullable Adapter start(Store store) {
    return adapter == null ? null : Teaching.known(store, adapter, data);
  }

  private static PruningRules rules(@Nullable Adapter start) {
    return start == null ? PruningRules.NONE : start.rules();
  }

  private Practice practice(
      BaseModel base,
      World practised,
      RolloutConfig attempts,
      @Nullable Adapter start,
      @Nullable OpenModel judge,
      Journal journal) {
    var identity =
        List.of(
            model.toAbsolutePath(),
            base.dtype(),
            start == null
                ? "no adapter"
                : start.name() + "@" + OpenModel.version(Path.of(start.path())),
            rewards.identity(judge));
    return practised.practice(
        identity.toString(),
        attempts,
        rewards.rewards(judge, journal, seed),
        rules(start),
        journal);
  }

  private void show(PrintWriter out, ProgressBar bar, ObjectNode line) {
    if (json) {
      out.println(line);
      out.flush();
      return;
    }
    switch (line.path("event").asString("")) {
      case "step" ->
          bar.show(
              line.path("step").asInt(),
              steps,
              String.format(Locale.ROOT, "reward %.3f", line.path("reward").asDouble()));
      case "evaluation" ->
          out.printf(
              Locale.ROOT,
              "  step %d: %.3f of %d held-out tasks%n",
              line.path("step").asInt(),
              line.path("success").asDouble(),
              line.path("n").asInt());
      default -> out.println(Json.write(line));
    }
  }

  private static ObjectNode summary(Grpo.Result result) {
    var best = result.best();
    var summary = Json.object().put("event", "summary").put("success", best.rate());
    summary.putArray("success_ci").add(best.low()).add(best.high());
    summary.put("start", result.start().rate()).put("steps", result.steps());
    return summary
        .put("best_step", result.bestStep())
        .put("stopped", result.stopped())
        .put("adapter", result.adapter().toString())
        .put("seconds", result.seconds());
  }

  private static String sentence(Grpo.Result result) {
    return String.format(
        Locale.ROOT,
        "%.3f of %d held-out tasks at step %d (%.3f at the start)%s",
        result.best().rate(),
        result.best().tasks(),
        result.bestStep(),
        result.start().rate(),
        result.stopped() == null ? "" : "; stopped: " + result.stopped());
  }
}
