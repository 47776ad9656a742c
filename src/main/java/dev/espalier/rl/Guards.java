package dev.espalier.rl;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Watches a run, and says when it has collapsed.
///
/// Collapse is preceded by a fall of the spread of rewards within groups and a spike of the
/// gradient's norm; what decides is what a user loses: the reward itself, or the start's language.
final class Guards {
  private static final int WINDOW = 5;
  private static final double FAR = 5; // nats a token from the start

  private final List<Double> rewards = new ArrayList<>();
  private double best = Double.NEGATIVE_INFINITY;

  /// Takes note of a step.
  ///
  /// @param reward the mean reward
  /// @param spread of rewards within groups
  /// @param kl to the start, nats a token
  /// @return why the run should stop, or null
  @Nullable String collapsed(double reward, double spread, double kl) {
    rewards.add(reward);
    if (kl > FAR) {
      return "the policy is %.1f nats a token from its start: lower the learning rate or raise beta"
          .formatted(kl);
    }
    if (rewards.size() < WINDOW) return null;
    double recent =
        rewards.subList(rewards.size() - WINDOW, rewards.size()).stream()
            .mapToDouble(it -> it)
            .average()
            .orElse(0);
    best = Math.max(best, recent);
    if (recent > best - Math.max(Math.abs(best) / 2, spread)) return null;
    return "the mean reward of %d steps fell from %.3f to %.3f".formatted(WINDOW, best, recent);
  }

  /// The rewards noted, to be saved.
  List<Double> rewards() {
    return List.copyOf(rewards);
  }

  /// Takes up a run.
  void resume(List<Double> noted) {
    for (double reward : noted) collapsed(reward, 0, 0);
  }
}
