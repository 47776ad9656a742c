package dev.espalier.cli;

import dev.espalier.engine.BaseModel;
import dev.espalier.env.Trajectory;
import dev.espalier.rl.Journal;
import dev.espalier.rl.Rewards;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// What attempts are rewarded for.
final class RewardOptions {
  @Mixin private final JudgeOptions judge = new JudgeOptions();

  @Option(
      names = "--reward",
      description =
          "The weight of env, judge, format or length (thousands of tokens), such as env=0.5; may"
              + " be repeated (default: judge=1 with a judge, else env=1).")
  private Map<String, Double> weights = new TreeMap<>();

  /// The model that judges; null if none is named.
  ///
  /// @throws IllegalArgumentException if what is said about it contradicts itself
  @Nullable OpenModel openJudge(BaseModel base, Path data) {
    judge.check();
    return judge.named() ? judge.open(base, data) : null;
  }

  /// @param judging as [#openJudge] gave it
  Rewards rewards(@Nullable OpenModel judging, Journal journal, long seed) {
    return new Rewards(
        weights(), judging == null ? null : judge.judge(judging, seed), journal::judged);
  }

  private Map<String, Double> weights() {
    if (!weights.isEmpty()) return weights;
    return Map.of(judge.named() ? Rewards.JUDGE : Trajectory.ENV, 1.0);
  }

  /// All of it that a run depends on, in words.
  ///
  /// @param judging as [#openJudge] gave it
  String identity(@Nullable OpenModel judging) {
    var rewarded = new TreeMap<>(weights()).toString();
    return judging == null ? rewarded : rewarded + ", judged by " + judge.identity(judging);
  }
}
