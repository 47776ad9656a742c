package dev.espalier.rl;

import dev.espalier.rl.Advantage.Gae;
import dev.espalier.rl.Advantage.Relative;
import java.util.ArrayList;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The advantage of every sampled token of a step, and for a critic what came of it.
///
/// @param advantages by attempt, in the order in which tokens were sampled
/// @param returns likewise; empty without a critic
record Estimate(double[][] advantages, float[][] returns) {
  /// @param rewards by group and attempt
  /// @param now log π of the policy that learns, before the step, by attempt
  /// @param reference log π of the reference policy, by attempt
  /// @param values what the critic expected, by attempt; null without a critic
  static Estimate of(
      Algorithm algorithm,
      double[][] rewards,
      float[][] now,
      float[][] reference,
      float @Nullable [][] values) {
    var compared =
        switch (algorithm.advantage()) {
          case Relative relative -> relative(relative, algorithm, rewards, now, reference);
          case Gae gae -> {
            if (values == null) throw new IllegalArgumentException("GAE needs a critic's values");
            yield gae(gae, algorithm, rewards, now, reference, values);
          }
        };
    if (algorithm.entropy() == 0) return compared;
    return new Estimate(
        exploring(compared.advantages(), now, algorithm.entropy()), compared.returns());
  }

  /// Each token's surprise, −log π less its mean, added to its advantage: the gradient of the
  /// entropy at each token, estimated from what was sampled, for ∇H = −E[(log π + b) ∇log π].
  private static double[][] exploring(double[][] advantages, float[][] now, double weight) {
    double mean = Divergence.entropy(now);
    var out = new double[advantages.length][];
    for (int i = 0; i < out.length; i++) {
      out[i] = advantages[i].clone();
      for (int t = 0; t < out[i].length; t++) out[i][t] += weight * (-now[i][t] - mean);
    }
    return out;
  }

  private static Estimate relative(
      Relative relative,
      Algorithm algorithm,
      double[][] rewards,
      float[][] now,
      float[][] reference) {
    var after = new double[rewards.length][];
    int attempt = 0;
    for (int g = 0; g < rewards.length; g++) {
      after[g] = rewards[g].clone();
      for (int i = 0; i < after[g].length; i++, attempt++) {
        for (int t = 0; t < now[attempt].length; t++) {
          after[g][i] -= algorithm.klInReward() * (now[attempt][t] - reference[attempt][t]);
        }
      }
    }
    var out = new ArrayList<double[]>();
    for (var group : relative.of(after)) {
      for (double advantage : group) {
        var tokens = new double[now[out.size()].length];
        Arrays.fill(tokens, advantage);
        out.add(tokens);
      }
    }
    return new Estimate(out.toArray(double[][]::new), new float[0][]);
  }

  private static Estimate gae(
      Gae gae,
      Algorithm algorithm,
      double[][] rewards,
      float[][] now,
      float[][] reference,
      float[][] values) {
    var flat = Arrays.stream(rewards).flatMapToDouble(Arrays::stream).toArray();
    var advantages = new double[flat.length][];
    var returns = new float[flat.length][];
    for (int i = 0; i < flat.length; i++) {
      int length = now[i].length;
      var earned = new double[length];
      for (int t = 0; t < length; t++) {
        earned[t] = -algorithm.klInReward() * (now[i][t] - reference[i][t]);
      }
      earned[length - 1] += flat[i];
      advantages[i] = gae.of(earned, values[i]);
      returns[i] = new float[length];
      for (int t = 0; t < length; t++) returns[i][t] = (float) (advantages[i][t] + values[i][t]);
    }
    return new Estimate(whitened(advantages), returns);
  }

  /// With mean 0 and deviation 1 over the step's tokens, as every PPO does.
  private static double[][] whitened(double[][] advantages) {
    var all = Arrays.stream(advantages).flatMapToDouble(Arrays::stream).toArray();
    double mean = Arrays.stream(all).average().orElse(0);
    double variance = Arrays.stream(all).map(x -> (x - mean) * (x - mean)).average().orElse(0);
    double factor = 1 / (Math.sqrt(variance) + 1e-8);
    return Arrays.stream(advantages)
        .map(one -> Arrays.stream(one).map(x -> (x - mean) * factor).toArray())
        .toArray(double[][]::new);
  }
}
