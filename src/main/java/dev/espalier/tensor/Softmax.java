package dev.espalier.tensor;

import static dev.espalier.tensor.Numbers.FLOATS;
import static dev.espalier.tensor.Numbers.LANES;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.bytedeco.pytorch.Tensor;

/// The probabilities of one position's scores.
///
/// They are not divided by their sum, and only sums of [#BLOCK] of them are kept, so that a draw
/// computes those of the block that it hits. Computed row by row, so that they have the same bits
/// in any batch.
public final class Softmax {
  private static final int BLOCK = 64;

  private final int count;
  private final float[] scores; // divided by the temperature; beyond the last −∞
  private final float[] greatest; // of each block
  private final float[] sums; // of each block's powers
  private final float most;
  private final double total;
  private final double logTotal;

  /// @param temperature above 0
  private Softmax(Numbers numbers, long at, int count, float temperature) {
    this.count = count;
    int blocks = Math.ceilDiv(count, BLOCK);
    scores = new float[blocks * BLOCK];
    Arrays.fill(scores, count, scores.length, Float.NEGATIVE_INFINITY);
    numbers.read(at, scores, count);
    if (temperature != 1) for (int i = 0; i < count; i++) scores[i] /= temperature;
    greatest = new float[blocks];
    for (int i = 0; i < blocks; i++) greatest[i] = greatest(i * BLOCK);
    float all = Float.NEGATIVE_INFINITY;
    for (float one : greatest) all = Math.max(all, one);
    most = all;
    sums = new float[blocks];
    double sum = 0;
    for (int i = 0; i < blocks; i++) {
      sums[i] = sum(i * BLOCK);
      sum += sums[i];
    }
    total = sum;
    logTotal = Math.log(sum);
  }

  /// Of each row, on the device's thread.
  ///
  /// @param scores (B, V), whose rows' numbers lie together
  /// @param count of the tokens, the first of V
  /// @param temperatures that the rows are divided by, above 0
  public static Softmax[] of(Tensor scores, int count, float[] temperatures) {
    var numbers = Numbers.of(Dtype.of(scores));
    long at = Rows.at(scores);
    long apart = scores.stride(0) * numbers.bytes();
    var rows = new Softmax[temperatures.length];
    Crew.device()
        .run(
            rows.length,
            16L * rows.length * count,
            row -> rows[row] = new Softmax(numbers, at + row * apart, count, temperatures[row]));
    return rows;
  }

  private float greatest(int from) {
    var some = FloatVector.fromArray(FLOATS, scores, from);
    for (int i = LANES; i < BLOCK; i += LANES) {
      some = some.max(FloatVector.fromArray(FLOATS, scores, from + i));
    }
    return some.reduceLanes(VectorOperators.MAX);
  }

  private float sum(int from) {
    var sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < BLOCK; i += LANES) {
      sum = sum.add(Rows.exp(FloatVector.fromArray(FLOATS, scores, from + i).sub(most)));
    }
    return Numbers.sum(sum);
  }

  /// log p of a token.
  public float logprob(int token) {
    return (float) (scores[token] - most - logTotal);
  }

  /// The likeliest token; the first of equals.
  public int best() {
    int block = 0;
    while (block < greatest.length - 1 && greatest[block] != most) block++;
    int token = block * BLOCK;
    while (token < count - 1 && scores[token] != most) token++;
    return token;
  }

  /// The likeliest tokens in order; the first of equals first.
  public int[] best(int many) {
    var best = new int[Math.min(many, count)];
    int found = 0;
    for (int i = 0; i < count; i++) {
      int place = found;
      while (place > 0 && scores[i] > scores[best[place - 1]]) place--;
      if (place == best.length) continue;
      if (found < best.length) found++;
      System.arraycopy(best, place, best, place + 1, found - place - 1);
      best[place] = i;
    }
    return best;
  }

  /// The likeliest of the tokens with a bit; the first of equals.
  ///
  /// @throws IllegalStateException if none has
  public int best(long[] allowed) {
    int best = -1;
    for (int i = 0; i < count; i++) {
      boolean may = (allowed[i >> 6] >>> i & 1) != 0;
      if (may && (best < 0 || scores[i] > scores[best])) best = i;
    }
    if (best < 0) throw new IllegalStateException("a grammar that allows no token");
    return best;
  }

  /// The token at which the probabilities, summed from the first on, exceed a part of all.
  ///
  /// @param part from 0, below 1
  public int at(double part) {
    double left = part * total;
    int block = 0;
    for (; block < sums.length - 1 && left >= sums[block]; block++) left -= sums[block];
    int last = block * BLOCK;
    for (int i = last; i < Math.min(count, (block + 1) * BLOCK); i++) {
      double power = Math.exp(scores[i] - most);
      if (power == 0) continue;
      last = i;
      left -= power;
      if (left < 0) break;
    }
    return last; // where rounding left a crumb, the last that can be
  }

  /// All log p.
  public double[] logprobs() {
    var out = new double[count];
    for (int i = 0; i < count; i++) out[i] = logprob(i);
    return out;
  }

  /// All probabilities.
  public double[] probabilities() {
    var out = new double[count];
    for (int i = 0; i < count; i++) out[i] = Math.exp(scores[i] - most) / total;
    return out;
  }
}
