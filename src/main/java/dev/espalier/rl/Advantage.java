package dev.espalier.rl;

import java.util.Arrays;

/// How much better than expected an attempt was.
public sealed interface Advantage {
  /// Against the other attempts at the same task, or in the same step: one number for all tokens of
  /// an attempt.
  enum Relative implements Advantage {
    /// r − mean of the group (Dr. GRPO, arXiv 2503.20783).
    MEAN,
    /// (r − mean) / deviation of the group (GRPO, arXiv 2402.03300).
    MEAN_STD,
    /// r − mean of the others in the group, that is K/(K−1) · (r − mean) (RLOO, arXiv 2402.14740).
    LEAVE_ONE_OUT,
    /// (r − mean) / deviation of the whole step (REINFORCE++, arXiv 2501.03262).
    BATCH;

    private static final double TINY = 1e-8;

    /// The advantage of every attempt.
    ///
    /// @param rewards by group; groups may differ in size
    public double[][] of(double[][] rewards) {
      double[] all = Arrays.stream(rewards).flatMapToDouble(Arrays::stream).toArray();
      return Arrays.stream(rewards).map(group -> of(group, all)).toArray(double[][]::new);
    }

    private double[] of(double[] group, double[] all) {
      double mean = mean(group);
      return switch (this) {
        case MEAN -> map(group, mean, 1);
        case MEAN_STD -> map(group, mean, 1 / (deviation(group) + TINY));
        case LEAVE_ONE_OUT -> map(group, mean, group.length / Math.max(1.0, group.length - 1));
        case BATCH -> map(group, mean(all), 1 / (deviation(all) + TINY));
      };
    }

    private static double[] map(double[] rewards, double mean, double factor) {
      return Arrays.stream(rewards).map(reward -> (reward - mean) * factor).toArray();
    }
  }

  /// Against what a critic expected, token by token: generalised advantage estimation (arXiv
  /// 1506.02438).
  ///
  /// @param gamma how much a reward counts a token earlier
  /// @param lambda 1 trusts what happened, 0 the critic's next value
  record Gae(double gamma, double lambda) implements Advantage {
    public Gae {
      if (!(gamma > 0 && gamma <= 1) || !(lambda >= 0 && lambda <= 1)) {
        throw new IllegalArgumentException("gamma must be in (0, 1] and lambda in [0, 1]");
      }
    }

    /// The advantage of every sampled token of one attempt.
    ///
    /// @param rewards what each token earned, double[T]
    /// @param values what the critic expected before each token, float[T]
    public double[] of(double[] rewards, float[] values) {
      var out = new double[rewards.length];
      double next = 0; // nothing is expected after the end
      double advantage = 0;
      for (int t = rewards.length - 1; t >= 0; t--) {
        double error = rewards[t] + gamma * next - values[t];
        advantage = error + gamma * lambda * advantage;
        out[t] = advantage;
        next = values[t];
      }
      return out;
    }
  }

  private static double mean(double[] numbers) {
    return Arrays.stream(numbers).average().orElse(0);
  }

  /// Of a sample: divided by n − 1, as TRL does.
  private static double deviation(double[] numbers) {
    double mean = mean(numbers);
    double squares = Arrays.stream(numbers).map(x -> (x - mean) * (x - mean)).sum();
    return Math.sqrt(squares / Math.max(1, numbers.length - 1));
  }
}
