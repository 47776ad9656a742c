package dev.espalier.judge;

import dev.espalier.env.Dropped;
import dev.espalier.env.Trajectory;
import dev.espalier.env.TrajectoryGroup;
import dev.espalier.stats.Bootstrap;
import dev.espalier.stats.Interval;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// What a judge is worth, measured on groups whose attempts have a label.
///
/// @param agreement of pairs that the labels order, the fraction that the judge orders alike; a
///   draw is half; null if they order none
/// @param positionBias how much more often than by chance an attempt wins against another that the
///   judge was shown after it; null if no group has two that differ
/// @param lengthBias how much more often the longer of two attempts wins than by their labels,
///   which may well be better for it; null if no two that have a label differ in length
/// @param pairs how many pairs the labels order
/// @param unscored groups without a verdict
public record Calibration(
    @Nullable Estimate agreement,
    @Nullable Estimate positionBias,
    @Nullable Estimate lengthBias,
    int pairs,
    int unscored) {
  private static final double LEVEL = 0.95;
  private static final int RESAMPLES = 2000;

  /// @param interval 95 %, by bootstrap over groups
  public record Estimate(double value, Interval interval) {}

  /// Asks the judge about every group.
  ///
  /// @param label how good an attempt really was
  public static Calibration of(
      Judge judge, List<TrajectoryGroup> groups, ToDoubleFunction<Trajectory> label, long seed) {
    var agreement = new ArrayList<List<Double>>();
    var position = new ArrayList<List<Double>>();
    var length = new ArrayList<List<Double>>();
    var unscored = new Dropped("groups without a verdict");
    var verdicts = judge.judgeAll(groups, unscored);
    unscored.report();
    if (unscored.count() == groups.size()) {
      throw new JudgeException("of %d groups none was scored".formatted(groups.size()));
    }
    for (int g = 0; g < groups.size(); g++) {
      var group = groups.get(g);
      var verdict = verdicts.get(g).orElse(null);
      if (verdict == null) continue;
      var scores = verdict.scores();
      var attempts = group.trajectories();
      var labels = attempts.stream().mapToDouble(label).toArray();
      var agreed = new ArrayList<Double>();
      var longer = new ArrayList<Double>();
      for (int i = 0; i < attempts.size(); i++) {
        for (int j = i + 1; j < attempts.size(); j++) {
          if (Double.isNaN(labels[i]) || Double.isNaN(labels[j])) continue; // no label
          double wins = wins(scores.get(i), scores.get(j));
          double truth = wins(labels[i], labels[j]);
          if (truth != 0.5) agreed.add(truth == 1 ? wins : 1 - wins);
          int more = attempts.get(i).sampledTokens() - attempts.get(j).sampledTokens();
          if (more != 0) longer.add(Math.signum(more) * (wins - truth));
        }
      }
      agreement.add(agreed);
      length.add(longer);
      // attempts that are all the same are shown as one, which has no place
      if (Transcripts.of(group).distinct().size() > 1) position.add(List.of(verdict.firstWins()));
    }
    return new Calibration(
        estimate(agreement, seed),
        estimate(position, seed),
        estimate(length, seed),
        agreement.stream().mapToInt(List::size).sum(),
        unscored.count());
  }

  static double wins(double one, double other) {
    return one > other ? 1 : one < other ? 0 : 0.5;
  }

  /// The mean of all values; null if there are none.
  ///
  /// @param byGroup the values of each group, which are right or wrong together
  private static @Nullable Estimate estimate(List<List<Double>> byGroup, long seed) {
    var values = byGroup.stream().flatMap(List::stream).mapToDouble(it -> it).toArray();
    if (values.length == 0) return null;
    var some = byGroup.stream().filter(it -> !it.isEmpty()).toList();
    var groups =
        IntStream.range(0, some.size())
            .flatMap(g -> some.get(g).stream().mapToInt(it -> g))
            .toArray();
    double mean = Arrays.stream(values).average().orElseThrow();
    return new Estimate(mean, Bootstrap.mean(values, groups, LEVEL, RESAMPLES, seed));
  }
}
