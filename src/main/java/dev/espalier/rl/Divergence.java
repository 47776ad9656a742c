package dev.espalier.rl;

import dev.espalier.train.PolicyLoss;
import dev.espalier.train.PolicyLoss.Clip;
import dev.espalier.train.PolicyLoss.Ratio;

/// What is estimated from the log-probabilities of sampled tokens, by attempt:
/// float[attempts][tokens].
final class Divergence {
  private Divergence() {}

  static long count(float[][] numbers) {
    long count = 0;
    for (var some : numbers) count += some.length;
    return count;
  }

  /// −mean log π: the entropy where the tokens were sampled from π.
  static double entropy(float[][] logprobs) {
    double sum = 0;
    for (var some : logprobs) for (float one : some) sum -= one;
    return sum / Math.max(1, count(logprobs));
  }

  /// KL(π ‖ other) by k3, where the tokens were sampled from π: never negative.
  static double k3(float[][] logprobs, float[][] other) {
    double sum = 0;
    for (int i = 0; i < logprobs.length; i++) {
      for (int t = 0; t < logprobs[i].length; t++) {
        double delta = (double) other[i][t] - logprobs[i][t];
        sum += Math.expm1(delta) - delta;
      }
    }
    return sum / Math.max(1, count(logprobs));
  }

  /// The fraction of tokens whose ratio, an attempt's where it is a sequence's, has left the clip's
  /// range.
  static double outside(float[][] now, float[][] sampled, PolicyLoss loss) {
    double low =
        switch (loss.clip()) {
          case Clip.Range range -> range.low();
          case Clip.Dual dual -> dual.low();
          case Clip.Weight _ -> 1;
        };
    double high =
        switch (loss.clip()) {
          case Clip.Range range -> range.high();
          case Clip.Dual dual -> dual.high();
          case Clip.Weight weight -> weight.most() - 1;
        };
    long outside = 0;
    for (int i = 0; i < now.length; i++) {
      double mean = 0;
      for (int t = 0; t < now[i].length; t++) {
        mean += ((double) now[i][t] - sampled[i][t]) / now[i].length;
      }
      for (int t = 0; t < now[i].length; t++) {
        double change = loss.ratio() == Ratio.SEQUENCE ? mean : (double) now[i][t] - sampled[i][t];
        double ratio = Math.exp(change);
        if (ratio < 1 - low || ratio > 1 + high) outside++;
      }
    }
    return (double) outside / Math.max(1, count(now));
  }
}
