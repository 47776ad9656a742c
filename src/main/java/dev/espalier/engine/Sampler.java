package dev.espalier.engine;

import dev.espalier.chat.Penalties;
import dev.espalier.chat.Sampling;
import dev.espalier.chat.TokenTrace;
import dev.espalier.tensor.Softmax;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/// Draws tokens for one sequence from a random stream of its own.
///
/// One draw a token, so that token i depends on the seed, i and the logits, and not on who else is
/// in the batch.
final class Sampler {
  private final Sampling sampling;
  private final SplittableRandom random;
  private final Map<Integer, Integer> came = new HashMap<>(); // where that costs: how often

  Sampler(Sampling sampling) {
    this.sampling = sampling;
    var seed = sampling.seed();
    random = new SplittableRandom(seed == null ? ThreadLocalRandom.current().nextLong() : seed);
  }

  /// What logits are divided by; greedy sampling leaves them as they are.
  float temperature() {
    return sampling.temperature() == 0 ? 1 : (float) sampling.temperature();
  }

  /// Draws from a row's probabilities.
  ///
  /// @param allowed the tokens that may be drawn, a bit each; null for all
  /// @return the token with its log-probability after temperature, before any penalty, truncation
  ///   or mask
  Generation.Token draw(Softmax row, long @Nullable [] allowed) {
    int id = pick(row, allowed);
    if (!sampling.penalties().equals(Penalties.NONE)) came.merge(id, 1, Integer::sum);
    if (sampling.topLogprobs() <= 0) return new Generation.Token(id, row.logprob(id), List.of());
    var likeliest =
        Arrays.stream(row.best(sampling.topLogprobs()))
            .mapToObj(token -> new TokenTrace.Likely(token, row.logprob(token)))
            .toList();
    return new Generation.Token(id, row.logprob(id), likeliest);
  }

  private int pick(Softmax row, long @Nullable [] allowed) {
    boolean greedy = sampling.temperature() == 0;
    if (greedy && came.isEmpty()) return allowed == null ? row.best() : row.best(allowed);
    double part = greedy ? 0 : random.nextDouble();
    boolean whole = sampling.topK() == 0 && sampling.topP() == 1 && sampling.minP() == 0;
    if (!greedy && whole && allowed == null && came.isEmpty()) return row.at(part);
    var p = came.isEmpty() ? row.probabilities() : penalised(row);
    if (allowed != null && !mask(p, allowed)) return row.best(allowed);
    if (greedy) return greatest(p);
    double left = part * (whole ? 1 : truncate(p));
    int last = 0;
    for (int i = 0; i < p.length; i++) {
      if (p[i] == 0) continue;
      last = i;
      left -= p[i];
      if (left < 0) return i;
    }
    return last; // rounding left a crumb
  }

  /// Probabilities where tokens that came already are less likely, or likelier: by their
  /// logarithms, for a penalty divided by a low temperature is more than a number has room for.
  private double[] penalised(Softmax row) {
    var p = row.logprobs();
    came.forEach((token, times) -> p[token] -= sampling.penalties().of(times) / temperature());
    double most = Arrays.stream(p).max().orElse(0);
    for (int i = 0; i < p.length; i++) p[i] = Math.exp(p[i] - most);
    double total = Arrays.stream(p).sum();
    for (int i = 0; i < p.length; i++) p[i] /= total;
    return p;
  }

  private static int greatest(double[] p) {
    int best = 0;
    for (int i = 1; i < p.length; i++) if (p[i] > p[best]) best = i;
    return best;
  }

  /// Leaves what is allowed, with a sum of one, and says whether anything is left.
  private static boolean mask(double[] p, long[] allowed) {
    double total = 0;
    for (int i = 0; i < p.length; i++) {
      if ((allowed[i >> 6] >>> i & 1) == 0) p[i] = 0;
      total += p[i];
    }
    for (int i = 0; i < p.length; i++) p[i] /= total;
    return total > 0;
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
