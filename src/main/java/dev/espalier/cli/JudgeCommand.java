package dev.espalier.cli;

import dev.espalier.chat.Json;
import dev.espalier.env.Trajectory;
import dev.espalier.env.TrajectoryGroup;
import dev.espalier.judge.Calibration;
import dev.espalier.judge.Calibration.Estimate;
import dev.espalier.judge.Judge;
import dev.espalier.rl.Journal;
import dev.espalier.store.Store;
import dev.espalier.store.StoredVerdict;
import dev.espalier.store.StoredVerdict.Score;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/// `espalier judge`: stored attempts judged again, under another rubric or by another judge.
@Command(
    name = "judge",
    description = "Judges the attempts of a run of `rl` again, and says what the judge is worth.",
    mixinStandardHelpOptions = true)
final class JudgeCommand implements Callable<Integer> {
  @Option(names = "--model", description = "What an adapter judges on (default: the built-in one).")
  private Path model = BuiltInModel.folder();

  @Mixin private final JudgeOptions judge = new JudgeOptions();

  @Option(names = "--run", required = true, description = "The --name of the run.")
  private String run = "";

  @Option(names = "--steps", description = "Of its steps, the last so many (default: all).")
  private int steps = Integer.MAX_VALUE;

  @Option(
      names = "--label",
      description =
          "What the judge is compared with: env, the environment's reward, or the label of"
              + " earlier verdicts, such as ruler@0123456789ab (default: ${DEFAULT-VALUE}).")
  private String label = Trajectory.ENV;

  @Option(names = "--seed", description = "Of orders and intervals (default: ${DEFAULT-VALUE}).")
  private long seed = 1;

  @Option(names = "--data", description = "The data folder (default: ${DEFAULT-VALUE}).")
  private Path data = Path.of("espalier-data");

  @Option(names = "--json", description = "One JSON object a line on standard output.")
  private boolean json;

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    if (spec == null) throw new IllegalStateException("picocli sets the spec");
    if (steps < 1) throw new IllegalArgumentException("--steps must be at least 1");
    var out = spec.commandLine().getOut();
    try (var store = Store.openExisting(data);
        var opened = judge.open(model, data)) {
      var journal = new Journal(store, RlCommand.RUN_PREFIX + run);
      var groups = groups(store, journal.run());
      var bar = new ProgressBar("judging", out);
      var judging = judge.judge(opened, seed);
      int[] done = {0};
      Judge keeping =
          group -> {
            var verdict = judging.judge(group);
            journal.judged(group, verdict);
            synchronized (done) {
              if (json) out.println(line(group, verdict.rubric(), verdict.scores()));
              else bar.show(++done[0], groups.size(), verdict.rubric());
            }
            return verdict;
          };
      var calibration = Calibration.of(keeping, groups, label(store, journal.run()), seed);
      show(out, groups.size(), calibration);
    }
    return 0;
  }

  /// The run's groups of two attempts or more, those that say nothing about the policy left out.
  private List<TrajectoryGroup> groups(Store store, String id) {
    var all = store.stepsWithTrajectories(id);
    if (all.isEmpty()) {
      throw new IllegalArgumentException(
          "no attempts of a run \"%s\" in %s; there are runs %s"
              .formatted(
                  run,
                  data,
                  store.runs().stream()
                      .map(one -> one.id())
                      .filter(one -> one.startsWith(RlCommand.RUN_PREFIX))
                      .map(one -> one.substring(RlCommand.RUN_PREFIX.length()))
                      .toList()));
    }
    var groups = new ArrayList<TrajectoryGroup>();
    for (int step : all.subList(Math.max(0, all.size() - steps), all.size())) {
      Map<String, List<Trajectory>> byTask = new LinkedHashMap<>();
      for (var one : store.trajectories(id, step)) {
        if (!one.counts()) continue;
        byTask.computeIfAbsent(one.task().id(), task -> new ArrayList<>()).add(one);
      }
      for (var attempts : byTask.values()) {
        if (attempts.size() < 2) continue;
        groups.add(new TrajectoryGroup(attempts.getFirst().task(), attempts));
      }
    }
    return groups;
  }

  private ToDoubleFunction<Trajectory> label(Store store, String id) {
    if (label.equals(Trajectory.ENV)) return one -> one.reward(Trajectory.ENV);
    var scores = new HashMap<String, Double>();
    for (StoredVerdict verdict : store.verdicts(id)) {
      if (!verdict.rubric().equals(label)) continue;
      for (Score score : verdict.scores()) {
        scores.put(verdict.task() + "/" + score.member(), score.score());
      }
    }
    if (scores.isEmpty()) {
      throw new IllegalArgumentException(
          "no verdicts under %s; there are %s"
              .formatted(
                  label, store.verdicts(id).stream().map(one -> one.rubric()).distinct().toList()));
    }
    return one -> scores.getOrDefault(one.task().id() + "/" + one.member(), Double.NaN);
  }

  private static ObjectNode line(TrajectoryGroup group, String rubric, List<Double> scores) {
    var line = Json.object().put("event", "verdict").put("task", group.task().id());
    line.put("rubric", rubric);
    var list = line.putArray("scores");
    scores.forEach(list::add);
    return line;
  }

  private void show(PrintWriter out, int groups, Calibration calibration) {
    if (json) {
      var line = Json.object().put("event", "summary").put("groups", groups);
      line.put("unscored", calibration.unscored()).put("pairs", calibration.pairs());
      put(line, "agreement", calibration.agreement());
      put(line, "position_bias", calibration.positionBias());
      put(line, "length_bias", calibration.lengthBias());
      out.println(line);
    } else {
      out.printf(
          Locale.ROOT,
          "%d groups, %d without a verdict, %d pairs that %s tells apart%s%n",
          groups,
          calibration.unscored(),
          calibration.pairs(),
          label,
          calibration.pairs() == 0 ? ": --label another to see how far the judge agrees" : "");
      print(out, "agreement", calibration.agreement());
      print(out, "position bias", calibration.positionBias());
      print(out, "length bias", calibration.lengthBias());
    }
    out.flush();
  }

  private static void put(ObjectNode line, String name, @Nullable Estimate estimate) {
    if (estimate == null) {
      line.putNull(name);
      return;
    }
    line.put(name, estimate.value());
    line.putArray(name + "_ci").add(estimate.interval().low()).add(estimate.interval().high());
  }

  private static void print(PrintWriter out, String name, @Nullable Estimate estimate) {
    if (estimate == null) return;
    out.printf(
        Locale.ROOT,
        "%-14s %+.3f (95 %%: %+.3f to %+.3f)%n",
        name,
        estimate.value(),
        estimate.interval().low(),
        estimate.interval().high());
  }
}
