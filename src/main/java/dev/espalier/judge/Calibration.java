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
import org.jspecify.annotations.Nullable;

/// What a judge is worth, measured on groups whose attempts have a label.
///
/// @param agreement of pairs that the labels order, the fraction that the judge orders alike; a
///   draw is half
/// @param positionBias how much more often than by chance an attempt wins against another that the
///   judge was shown after it; null if no group has two that differ
/// @param lengthBias the same for the longer of two attempts; null if no two differ in length
/// @param pairs how many pairs the labels order
/// @param unscored groups without a verdict
public record Calibration(
    Estimate agreement,
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
    var agreement = new ArrayList<Double>();
    var position = new ArrayList<Double>();
    var length = new ArrayList<Double>();
    int pairs = 0;
    var unscored = new Dropped("groups without a verdict");
    for (var group : groups) {
      var verdict = judge.judge(group, unscored).orElse(null);
      if (verdict == null) continue;
      var scores = verdict.scores();
      var attempts = group.trajectories();
      double agreed = 0;
      int ordered = 0;
      double longer = 0;
      int unequal = 0;
      for (int i = 0; i < attempts.size(); i++) {
        for (int j = i + 1; j < attempts.size(); j++) {
          double wins = wins(scores.get(i), scores.get(j));
          double truth =
              label.applyAsDouble(attempts.get(i)) - label.applyAsDouble(attempts.get(j));
          int more = attempts.get(i).sampledTokens() - attempts.get(j).sampledTokens();
          if (more != 0) {
            longer += more > 0 ? wins - 0.5 : 0.5 - wins;
            unequal++;
          }
          if (truth == 0 || Double.isNaN(truth)) continue; // one of them has no label
          agreed += truth > 0 ? wins : 1 - wins;
          ordered++;
        }
      }
      pairs += ordered;
      if (ordered > 0) agreement.add(agreed / ordered);
      // attempts that are all the same are shown as one, which has no place
      if (Transcripts.of(group).distinct().size() > 1) position.add(verdict.firstWins());
      if (unequal > 0) length.add(longer / unequal);
    }
    unscored.report();
    return new Calibration(
        estimate(agreement, seed),
        position.isEmpty() ? null : estimate(position, seed),
        length.isEmpty() ? null : estimate(length, seed),
        pairs,
        unscored.count());
  }

  static double wins(double one, double other) {
    return one > other ? 1 : one < other ? 0 : 0.5;
  }

  private static Estimate estimate(List<Double> numbers, long seed) {
    if (numbers.isEmpty()) {
      throw new JudgeException("no labelled group that tells two attempts apart was scored");
    }
    var values = numbers.stream().mapToDouble(it -> it).toArray();
    double mean = Arrays.stream(values).average().orElseThrow();
    return new Estimate(mean, Bootstrap.mean(values, LEVEL, RESAMPLES, seed));
  }
}
