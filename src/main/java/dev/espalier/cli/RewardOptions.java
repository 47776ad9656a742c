package dev.espalier.cli;

import dev.espalier.env.Trajectory;
import dev.espalier.rl.Journal;
import dev.espalier.rl.Rewards;
import java.util.Map;
import java.util.TreeMap;
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

  /// @throws IllegalArgumentException if they contradict each other
  Rewards rewards(Journal journal, long seed) {
    judge.check();
    return new Rewards(weights(), judge.named() ? judge.judge(seed) : null, journal::judged);
  }

  private Map<String, Double> weights() {
    if (!weights.isEmpty()) return weights;
    return Map.of(judge.named() ? Rewards.JUDGE : Trajectory.ENV, 1.0);
  }

  /// All of it that a run depends on, in words.
  String identity() {
    var rewarded = new TreeMap<>(weights()).toString();
    return judge.named() ? rewarded + ", judged by " + judge.identity() : rewarded;
  }
}
