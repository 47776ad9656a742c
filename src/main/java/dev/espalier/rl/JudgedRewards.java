package dev.espalier.rl;

import dev.espalier.env.Trajectory;
import dev.espalier.env.TrajectoryGroup;
import dev.espalier.judge.Judge;
import dev.espalier.judge.JudgeException;
import dev.espalier.judge.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// A judge's scores beside the environment's reward, each by its weight.
///
/// Groups are judged side by side; one that cannot be judged is left out, and the step counts it.
///
/// @param weights by source: [Trajectory#ENV], [#JUDGE], [#FORMAT]
/// @param verdicts is handed every group with its verdict, to be stored
public record JudgedRewards(
    Judge judge, Map<String, Double> weights, BiConsumer<TrajectoryGroup, Verdict> verdicts)
    implements Rewards {
  /// The judge's score.
  public static final String JUDGE = "judge";

  /// 1 if no tool call was malformed and no turn cut off, else 0.
  public static final String FORMAT = "format";

  private static final int AT_ONCE = 16;

  public JudgedRewards {
    weights = Map.copyOf(weights);
    if (!(weights.getOrDefault(JUDGE, 0.0) > 0)) {
      throw new IllegalArgumentException("a judge whose score does not count");
    }
  }

  @Override
  public List<TrajectoryGroup> score(List<TrajectoryGroup> groups) {
    var threads = Thread.ofVirtual().name("judge-", 0).factory();
    try (var pool = Executors.newFixedThreadPool(AT_ONCE, threads)) {
      var asked = new ArrayList<Future<@Nullable Verdict>>();
      for (var group : groups) asked.add(pool.submit(verdict(group)));
      var out = new ArrayList<TrajectoryGroup>();
      for (int i = 0; i < asked.size(); i++) {
        var verdict = asked.get(i).get();
        if (verdict == null) continue;
        verdicts.accept(groups.get(i), verdict);
        out.add(scored(groups.get(i), verdict));
      }
      return out;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException defect) throw defect;
      throw new IllegalStateException("the judge failed", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("judging was interrupted", e);
    }
  }

  private Callable<@Nullable Verdict> verdict(TrajectoryGroup group) {
    return () -> {
      try {
        return judge.judge(group);
      } catch (JudgeException e) {
        return null;
      }
    };
  }

  private static TrajectoryGroup scored(TrajectoryGroup group, Verdict verdict) {
    var trajectories = new ArrayList<Trajectory>();
    for (int i = 0; i < group.trajectories().size(); i++) {
      var one = group.trajectories().get(i);
      boolean whole = one.end() != Trajectory.End.LENGTH;
      trajectories.add(one.with(JUDGE, verdict.scores().get(i)).with(FORMAT, whole ? 1 : 0));
    }
    return new TrajectoryGroup(group.task(), trajectories);
  }

  @Override
  public double total(Trajectory trajectory) {
    double total = 0;
    for (var weight : weights.entrySet()) {
      total += weight.getValue() * trajectory.reward(weight.getKey());
    }
    return total;
  }
}
