package dev.espalier.engine;

import dev.espalier.chat.Sampling;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;

/// Draws tokens for one sequence from a random stream of its own.
///
/// One draw a token, so that token i depends on the seed, i and the logits, and not on who else is
/// in the batch.
final class Sampler {
  /// A drawn token with its log-probability after temperature, before any truncation.
  record Draw(int id, float logprob) {}

  private final Sampling sampling;
  private final SplittableRandom random;

  Sampler(Sampling sampling) {
    this.sampling = sampling;
    var seed = sampling.seed();
    random = new SplittableRandom(seed == null ? ThreadLocalRandom.current().nextLong() : seed);
  }

  /// Draws from the scores of one position.
  Draw draw(float[] logits, int from, int vocabulary) {
    double temperature = sampling.temperature() == 0 ? 1 : sampling.temperature();
    int best = from;
    for (int i = from + 1; i < from + vocabulary; i++) if (logits[i] > logits[best]) best = i;
    double max = logits[best] / temperature;
    double sum = 0;
    for (int i = from; i < from + vocabulary; i++) sum += Math.exp(logits[i] / temperature - max);
    double norm = max + Math.log(sum);
    int id = sampling.temperature() == 0 ? best - from : pick(logits, from, vocabulary, norm);
    return new Draw(id, (float) (logits[from + id] / temperature - norm));
  }

  private int pick(float[] logits, int from, int vocabulary, double norm) {
    var p = new double[vocabulary];
    for (int i = 0; i < vocabulary; i++) {
      p[i] = Math.exp(logits[from + i] / sampling.temperature() - norm);
    }
    double total = truncate(p);
    double left = random.nextDouble() * total;
    int last = 0;
    for (int i = 0; i < vocabulary; i++) {
      if (p[i] == 0) continue;
      last = i;
      left -= p[i];
      if (left < 0) return i;
    }
    return last; // rounding left a crumb
  }

  /// Sets what top-k, top-p and min-p leave out to zero and returns the sum of the rest.
  private double truncate(double[] p) {
    double least = 0;
    boolean sorts = sampling.topK() > 0 || sampling.topP() < 1;
    if (sorts) {
      var sorted = p.clone();
      Arrays.sort(sorted);
      int k = sampling.topK() > 0 ? Math.min(sampling.topK(), p.length) : p.length;
      double mass = 0;
      for (int i = 1; i <= k; i++) {
        least = sorted[p.length - i];
        mass += least;
        if (mass >= sampling.topP()) break;
      }
    }
    if (sampling.minP() > 0) {
      double max = 0;
      for (double one : p) max = Math.max(max, one);
      least = Math.max(least, max * sampling.minP());
    }
    double total = 0;
    for (int i = 0; i < p.length; i++) {
      if (p[i] < least) p[i] = 0;
      total += p[i];
    }
    return total;
  }
}
