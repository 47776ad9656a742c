package dev.espalier.rl;

import dev.espalier.chat.FinishReason;
import dev.espalier.env.Dropped;
import dev.espalier.env.Trajectory;
import dev.espalier.env.TrajectoryGroup;
import dev.espalier.judge.Judge;
import dev.espalier.judge.Verdict;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// What training takes as an attempt's reward: the weighted sum of its sources, each of which is
/// noted apart on the trajectory.
///
/// Groups are judged side by side; one that cannot be judged is left out, and the step counts it.
///
/// @param weights by source: [Trajectory#ENV], [#JUDGE], [#FORMAT], [#LENGTH]
/// @param judge null if none is asked
/// @param verdicts is handed every group with its verdict, to be stored
public record Rewards(
    Map<String, Double> weights,
    @Nullable Judge judge,
    BiConsumer<TrajectoryGroup, Verdict> verdicts) {
  /// The judge's score, 0 to 1.
  public static final String JUDGE = "judge";

  /// 1 if every tool call could be read and no turn was cut off, else 0.
  public static final String FORMAT = "format";

  /// Thousands of sampled tokens: for a weight below 0.
  public static final String LENGTH = "length";

  private static final Set<String> SOURCES = Set.of(Trajectory.ENV, JUDGE, FORMAT, LENGTH);

  /// The environment's reward and no other.
  public static final Rewards ENVIRONMENT =
      new Rewards(Map.of(Trajectory.ENV, 1.0), null, (group, verdict) -> {});

  public Rewards {
    // sorted, so that a run and its resumption add up in the same order, to the last bit
    weights = Collections.unmodifiableMap(new TreeMap<>(weights));
    for (var weight : weights.entrySet()) {
      if (!SOURCES.contains(weight.getKey())) {
        throw new IllegalArgumentException(
            "a reward is env, judge, format or length, not " + weight.getKey());
      }
      if (!Double.isFinite(weight.getValue())) {
        throw new IllegalArgumentException("a reward's weight must be a number");
      }
    }
    if (weights.values().stream().allMatch(weight -> weight == 0)) {
      throw new IllegalArgumentException("no reward counts: give one a weight other than 0");
    }
    boolean counts = weights.getOrDefault(JUDGE, 0.0) != 0;
    if (judge != null && !counts) {
      throw new IllegalArgumentException("a judge whose score does not count");
    }
    if (judge == null && counts) {
      throw new IllegalArgumentException("a judge's score counts, but there is no judge");
    }
  }

  /// The groups with every reward added to their trajectories.
  List<TrajectoryGroup> score(List<TrajectoryGroup> groups) {
    var noted = groups.stream().map(Rewards::noted).toList();
    return judge == null ? noted : judged(noted, judge);
  }

  /// What training takes.
  double total(Trajectory trajectory) {
    double total = 0;
    for (var weight : weights.entrySet()) {
      total += weight.getValue() * trajectory.reward(weight.getKey());
    }
    return total;
  }

  private static TrajectoryGroup noted(TrajectoryGroup group) {
    return new TrajectoryGroup(
        group.task(),
        group.trajectories().stream()
            .map(one ->
                one.with(FORMAT, wellFormed(one) ? 1 : 0)
                    .with(LENGTH, one.sampledTokens() / 1000.0))
            .toList());
  }

  private static boolean wellFormed(Trajectory trajectory) {
    return trajectory.end() != Trajectory.End.LENGTH
        && trajectory.turns().stream()
            .noneMatch(turn -> turn.unparseable() || turn.finish() == FinishReason.LENGTH);
  }

  private List<TrajectoryGroup> judged(List<TrajectoryGroup> groups, Judge judge) {
    var unscored = new Dropped("groups without a verdict");
    var all = judge.judgeAll(groups, unscored);
    unscored.report();
    var out = new ArrayList<TrajectoryGroup>();
    for (int i = 0; i < all.size(); i++) {
      var verdict = all.get(i).orElse(null);
      if (verdict == null) continue;
      verdicts.accept(groups.get(i), verdict);
      out.add(judged(groups.get(i), verdict));
    }
    return out;
  }

  private static TrajectoryGroup judged(TrajectoryGroup group, Verdict verdict) {
    var trajectories = new ArrayList<Trajectory>();
    for (int i = 0; i < group.trajectories().size(); i++) {
      trajectories.add(group.trajectories().get(i).with(JUDGE, verdict.scores().get(i)));
    }
    return new TrajectoryGroup(group.task(), trajectories);
  }
}
