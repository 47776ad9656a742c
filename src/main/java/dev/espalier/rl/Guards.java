package dev.espalier.rl;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import org.jspecify.annotations.Nullable;

/// Watches a run, and says when it has collapsed.
///
/// Collapse is preceded by a fall of the spread of rewards within groups and a spike of the
/// gradient's norm; what decides is what a user loses: the reward itself, or the start's language.
final class Guards {
  private static final int WINDOW = 5;
  private static final double FAR = 5; // nats a token from the start

  /// The estimate of the divergence is a mean of ratios, which one token in thousands can throw.
  private static final int FAR_STEPS = 3;

  private final List<Double> rewards = new ArrayList<>();
  private final List<Double> divergences = new ArrayList<>();
  private double best = Double.NEGATIVE_INFINITY;

  /// Takes note of a step.
  ///
  /// @param reward the mean reward
  /// @param spread of rewards within groups
  /// @param kl to the start, nats a token
  /// @return why the run should stop, or null
  @Nullable String collapsed(double reward, double spread, double kl) {
    rewards.add(reward);
    divergences.add(kl);
    double nearest = last(divergences, FAR_STEPS).min().orElse(0);
    if (divergences.size() >= FAR_STEPS && nearest > FAR) {
      return "the policy was at least %.1f nats a token from its start for %d steps: lower the learning rate or raise beta"
          .formatted(nearest, FAR_STEPS);
    }
    if (rewards.size() < WINDOW) return null;
    double recent = last(rewards, WINDOW).average().orElse(0);
    best = Math.max(best, recent);
    if (recent > best - Math.max(Math.abs(best) / 2, spread)) return null;
    return "the mean reward of %d steps fell from %.3f to %.3f".formatted(WINDOW, best, recent);
  }

  private static DoubleStream last(List<Double> all, int count) {
    return all.subList(Math.max(0, all.size() - count), all.size()).stream().mapToDouble(it -> it);
  }

  /// The rewards noted, to be saved.
  List<Double> rewards() {
    return List.copyOf(rewards);
  }

  /// The divergences noted, likewise.
  List<Double> divergences() {
    return List.copyOf(divergences);
  }

  /// Takes up a run.
  void resume(List<Double> rewards, List<Double> divergences) {
    for (int i = 0; i < rewards.size(); i++) collapsed(rewards.get(i), 0, divergences.get(i));
  }
}
