package dev.espalier.tensor;

import static dev.espalier.tensor.Lanes.PANEL;
import static dev.espalier.tensor.Lanes.ROW;
import static dev.espalier.tensor.Numbers.FLOATS;
import static dev.espalier.tensor.Numbers.LANES;
import static dev.espalier.tensor.Numbers.MEMORY;
import static dev.espalier.tensor.Numbers.ORDER;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// What a decoder does to tokens side by side between two products, and the way back: a panel at a
/// time, at addresses.
public final class LaneMath {
  private static final long STEP = ROW / 2; // bytes of a register
  private static final int SEGMENT = 256; // numbers that are added up before they join the others

  private LaneMath() {}

  private static FloatVector at(long place) {
    return FloatVector.fromMemorySegment(FLOATS, MEMORY, place, ORDER);
  }

  /// RMS norm.
  ///
  /// @param x (width, PANEL)
  /// @param weight of each feature
  /// @param out may be where x is
  public static void norm(long x, float[] weight, double eps, long out) {
    for (long half = 0; half < ROW; half += STEP) {
      var scale = inverse(x + half, weight.length, eps);
      for (int i = 0; i < weight.length; i++) {
        long place = ROW * i + half;
        at(x + place).mul(scale).mul(weight[i]).intoMemorySegment(MEMORY, out + place, ORDER);
      }
    }
  }

  /// One divided by the root mean square, of a register's tokens.
  private static FloatVector inverse(long x, int count, double eps) {
    var sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < count; i++) {
      var some = at(x + ROW * i);
      sum = some.fma(some, sum);
    }
    var root = sum.div(count).add((float) eps).sqrt();
    return FloatVector.broadcast(FLOATS, 1).div(root);
  }

  /// The gradient of what was normalised, added to another one.
  ///
  /// @param x what was normalised, (width, PANEL)
  /// @param gradient of the output
  /// @param start what is added to; 0 for nothing
  /// @param out may be where either gradient is
  public static void normGradient(
      long x, float[] weight, double eps, long gradient, long start, long out) {
    for (long half = 0; half < ROW; half += STEP) {
      var scale = inverse(x + half, weight.length, eps);
      var sum = FloatVector.zero(FLOATS);
      for (int i = 0; i < weight.length; i++) {
        long place = ROW * i + half;
        sum = at(gradient + place).mul(weight[i]).fma(at(x + place), sum);
      }
      var along = sum.div(weight.length).mul(scale).mul(scale);
      for (int i = 0; i < weight.length; i++) {
        long place = ROW * i + half;
        var part = at(gradient + place).mul(weight[i]);
        var made = part.sub(at(x + place).mul(along)).mul(scale);
        if (start != 0) made = made.add(at(start + place));
        made.intoMemorySegment(MEMORY, out + place, ORDER);
      }
    }
  }

  /// Rotates the first half of a head's features with the second.
  ///
  /// @param x (2·half, PANEL)
  /// @param cos (half, PANEL)
  /// @param sin likewise
  /// @param back whether the other way
  public static void rotate(long x, long cos, long sin, int half, boolean back, long out) {
    for (long place = 0; place < ROW * half; place += STEP) {
      long other = ROW * half + place;
      var first = at(x + place);
      var second = at(x + other);
      var kept = at(cos + place);
      var turned = back ? at(sin + place).neg() : at(sin + place);
      first.mul(kept).sub(second.mul(turned)).intoMemorySegment(MEMORY, out + place, ORDER);
      second.mul(kept).add(first.mul(turned)).intoMemorySegment(MEMORY, out + other, ORDER);
    }
  }

  /// silu(gate) · up.
  ///
  /// @param gateUp (2·width, PANEL): gates, then ups
  /// @param out (width, PANEL)
  public static void gate(long gateUp, int width, long out) {
    for (long place = 0; place < ROW * width; place += STEP) {
      var gate = at(gateUp + place);
      var up = at(gateUp + ROW * width + place);
      var under = Rows.exp(gate.neg()).add(1);
      gate.div(under).mul(up).intoMemorySegment(MEMORY, out + place, ORDER);
    }
  }

  /// The gradients of gates and ups, which take their places.
  ///
  /// @param gateUp (2·width, PANEL): gates, then ups
  /// @param gradient of the product, (width, PANEL)
  public static void gateGradient(long gateUp, int width, long gradient) {
    for (long place = 0; place < ROW * width; place += STEP) {
      long next = ROW * width + place;
      var gate = at(gateUp + place);
      var of = at(gradient + place);
      var open = FloatVector.broadcast(FLOATS, 1).div(Rows.exp(gate.neg()).add(1));
      var silu = gate.mul(open);
      // the derivative of silu: σ · (1 + gate · (1 − σ)) = σ + silu · (1 − σ)
      var slope = open.sub(silu.mul(open.sub(1)));
      var made = of.mul(at(gateUp + next)).mul(slope);
      of.mul(silu).intoMemorySegment(MEMORY, gateUp + next, ORDER);
      made.intoMemorySegment(MEMORY, gateUp + place, ORDER);
    }
  }

  /// Log-probabilities of a target of each token.
  ///
  /// @param scores (count, PANEL); become the gradients of the log-probabilities
  /// @param inverse one divided by the temperature
  /// @param targets of the tokens, from that one on; there may be fewer than tokens
  /// @param out where they go, at the same places
  public static void logProbabilities(
      long scores, int count, float inverse, int[] targets, int from, float[] out) {
    int some = Math.min(PANEL, targets.length - from);
    for (int lane = 0; lane < some; lane++) {
      out[from + lane] = Float32.NUMBERS.get(number(scores, targets[from + lane], lane));
    }
    var most = new float[PANEL];
    var sums = new float[PANEL];
    for (int half = 0; half < 2; half++) {
      softmax(scores + STEP * half, count, inverse, most, sums, half * LANES);
    }
    for (int lane = 0; lane < some; lane++) {
      int token = from + lane;
      out[token] = (out[token] - most[lane]) * inverse - (float) Math.log(sums[lane]);
      long place = number(scores, targets[token], lane);
      Float32.NUMBERS.set(place, Float32.NUMBERS.get(place) + inverse);
    }
  }

  private static long number(long panel, int feature, int lane) {
    return panel + ROW * feature + (long) Float.BYTES * lane;
  }

  /// Makes of scores their probabilities, times −inverse.
  private static void softmax(
      long scores, int count, float inverse, float[] most, float[] sums, int place) {
    var greatest = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < count; i++) {
      var score = at(scores + ROW * i);
      greatest = greatest.blend(score, score.compare(VectorOperators.GT, greatest));
    }
    var sum = FloatVector.zero(FLOATS);
    for (int from = 0; from < count; from += SEGMENT) {
      var part = FloatVector.zero(FLOATS);
      for (int i = from; i < Math.min(count, from + SEGMENT); i++) {
        var power = Rows.exp(at(scores + ROW * i).sub(greatest).mul(inverse));
        power.intoMemorySegment(MEMORY, scores + ROW * i, ORDER);
        part = part.add(power);
      }
      sum = sum.add(part);
    }
    var factor = FloatVector.broadcast(FLOATS, -inverse).div(sum);
    for (int i = 0; i < count; i++) {
      at(scores + ROW * i).mul(factor).intoMemorySegment(MEMORY, scores + ROW * i, ORDER);
    }
    greatest.intoArray(most, place);
    sum.intoArray(sums, place);
  }

  /// Multiplies all features of each token by a number.
  ///
  /// @param factors of the tokens, from that one on
  public static void scale(long x, int features, float[] factors, int from) {
    for (int half = 0; half < 2; half++) {
      var factor = FloatVector.fromArray(FLOATS, factors, from + half * LANES);
      for (int i = 0; i < features; i++) {
        long place = x + ROW * i + STEP * half;
        at(place).mul(factor).intoMemorySegment(MEMORY, place, ORDER);
      }
    }
  }

  /// Makes zeros of the features of all tokens of a panel but some.
  ///
  /// @param from the first of those, in the panel
  /// @param end after the last one
  public static void keep(long x, int features, int from, int end) {
    for (int i = 0; i < features; i++) {
      for (int lane = 0; lane < PANEL; lane++) {
        if (lane < from || lane >= end) Float32.NUMBERS.set(number(x, i, lane), 0);
      }
    }
  }

  /// Adds features to others.
  public static void add(long from, long to, int features) {
    for (long place = 0; place < ROW * features; place += STEP) {
      at(to + place).add(at(from + place)).intoMemorySegment(MEMORY, to + place, ORDER);
    }
  }

  /// Copies features.
  public static void copy(long from, long to, int features) {
    Float32.NUMBERS.copy(from, to, features * PANEL);
  }

  /// Makes each feature of all tokens one number.
  public static void fill(float[] numbers, long to) {
    for (int i = 0; i < numbers.length; i++) {
      var all = FloatVector.broadcast(FLOATS, numbers[i]);
      all.intoMemorySegment(MEMORY, to + ROW * i, ORDER);
      all.intoMemorySegment(MEMORY, to + ROW * i + STEP, ORDER);
    }
  }
}
