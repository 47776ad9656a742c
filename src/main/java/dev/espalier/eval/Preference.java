package dev.espalier.eval;

import dev.espalier.env.Dropped;
import dev.espalier.env.Trajectory;
import dev.espalier.env.TrajectoryGroup;
import dev.espalier.judge.Judge;
import dev.espalier.judge.JudgeException;
import dev.espalier.judge.Verdict;
import dev.espalier.stats.Bootstrap;
import dev.espalier.stats.Interval;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How often a judge prefers one model's attempts to another's at the same tasks; a draw is half.
///
/// For tasks whose environment gives no reward. An attempt that failed through no fault of a
/// model's, and a pair without a verdict, are left out and counted.
///
/// @param rate the first model's
/// @param interval 95 %, by bootstrap over tasks
/// @param compared pairs
/// @param left pairs that could not be compared
public record Preference(double rate, Interval interval, int compared, int left) {
  private static final double LEVEL = 0.95;
  private static final int RESAMPLES = 2000;

  /// @throws JudgeException if no pair could be compared
  public static Preference of(
      Judge judge, List<Trajectory> ours, List<Trajectory> theirs, long seed) {
    Map<String, Trajectory> byTask = new HashMap<>();
    for (var one : theirs) byTask.put(one.task().id(), one);
    var pairs = new ArrayList<TrajectoryGroup>();
    for (var one : ours) {
      var other = byTask.get(one.task().id());
      if (other == null || !one.counts() || !other.counts()) continue;
      pairs.add(new TrajectoryGroup(one.task(), List.of(one, other)));
    }
    var unscored = new Dropped("pairs without a verdict");
    var verdicts = judge.judgeAll(pairs, unscored);
    unscored.report();
    var values =
        verdicts.stream()
            .flatMap(Optional::stream)
            .map(Verdict::scores)
            .mapToDouble(scores -> Math.signum(scores.get(0) - scores.get(1)) / 2 + 0.5)
            .toArray();
    if (values.length == 0) {
      throw new JudgeException(
          "none of %d pairs of attempts could be compared".formatted(ours.size()));
    }
    double sum = 0;
    for (double value : values) sum += value;
    return new Preference(
        sum / values.length,
        Bootstrap.mean(values, LEVEL, RESAMPLES, seed),
        values.length,
        ours.size() - values.length);
  }
}
