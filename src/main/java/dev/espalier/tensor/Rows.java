package dev.espalier.tensor;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.bytedeco.pytorch.Tensor;

/// What a decoder does to one token's numbers between two products: norms, rotation, attention and
/// gates, each in one pass over them and without libtorch, whose calls would take longer.
///
/// Numbers lie at addresses in the type of the model and are computed with in float32.
public final class Rows {
  private static final VectorSpecies<Float> FLOATS = Numbers.FLOATS;
  private static final int STEP = Numbers.LANES;

  private static final float EDGE = 87;
  private static final float WHOLE = 0x1.8p23f; // where a float's unit is one
  private static final float LOG2_E = 0x1.715476p0f;
  private static final float LN2_HIGH = 0x1.62e4p-1f; // ln 2 in two parts
  private static final float LN2_LOW = 0x1.7f7d1cp-20f;
  private static final float[] TERMS = {1f / 720, 1f / 120, 1f / 24, 1f / 6, 0.5f, 1, 1};

  private static final Set<Dtype> WARM = ConcurrentHashMap.newKeySet();
  private static final int EXERCISE = 64; // numbers
  private static final int EXERCISES = 6_000; // more than makes a method worth compiling

  private final Numbers numbers;

  /// @throws IllegalArgumentException if libtorch alone computes with that type
  public Rows(Dtype dtype) {
    numbers = Numbers.of(dtype);
  }

  /// Has its loops compiled, on a thread of their own: until then the Vector API takes a thousand
  /// times as long, and a token seconds.
  public static void warmUp(Dtype dtype) {
    if (!WARM.add(dtype)) return;
    var rows = new Rows(dtype);
    Thread.ofPlatform().daemon().name("espalier-warm-up").start(rows::exercise);
  }

  private void exercise() {
    try (var arena = Arena.ofConfined()) {
      long some = arena.allocate((long) EXERCISE * EXERCISE * numbers.bytes()).address();
      var row = new float[EXERCISE];
      var past = List.of(new KeyValues(some, some, 0, EXERCISE / 4));
      for (int i = 0; i < EXERCISES; i++) {
        numbers.dots(some, 5, some, EXERCISE, row, 0);
        attend(some, EXERCISE, past, 0, some);
        gate(some, some, EXERCISE);
        read(some, row);
        norm(row, row, 1, row);
        rotate(row, row, row);
        write(row, some);
        add(some, row);
      }
    }
  }

  /// Where a tensor's first number lies.
  public static long at(Tensor tensor) {
    return tensor.data_ptr().address();
  }

  /// The address so many numbers further.
  public long after(long from, long count) {
    return from + count * numbers.bytes();
  }

  public void read(long from, float[] to) {
    numbers.read(from, to, to.length);
  }

  public void write(float[] from, long to) {
    numbers.write(from, to, from.length);
  }

  public void copy(long from, long to, int count) {
    numbers.copy(from, to, count);
  }

  /// Adds numbers to a row.
  public void add(long from, float[] to) {
    for (int i = 0; i < to.length; i++) to[i] += numbers.get(after(from, i));
  }

  /// RMS norm.
  ///
  /// @param out may be the row itself
  public static void norm(float[] row, float[] weight, double eps, float[] out) {
    var sums = FloatVector.zero(FLOATS);
    int i = 0;
    for (; i <= row.length - STEP; i += STEP) {
      var some = FloatVector.fromArray(FLOATS, row, i);
      sums = some.fma(some, sums);
    }
    float sum = Numbers.sum(sums);
    for (; i < row.length; i++) sum += row[i] * row[i];
    float scale = (float) (1 / Math.sqrt(sum / row.length + eps));
    for (int j = 0; j < row.length; j++) out[j] = row[j] * scale * weight[j];
  }

  /// Rotates a head's numbers: the first half with the second.
  ///
  /// @param cos one for each number
  /// @param sin likewise; those of the first half are negative
  public static void rotate(float[] head, float[] cos, float[] sin) {
    int half = head.length / 2;
    for (int i = 0; i < half; i++) {
      float first = head[i];
      float second = head[i + half];
      head[i] = first * cos[i] + second * sin[i];
      head[i + half] = second * cos[i + half] + first * sin[i + half];
    }
  }

  /// silu(gate) · up.
  ///
  /// @param from the gates, and after them as many ups
  public void gate(long from, long to, int count) {
    var gates = new float[count];
    var ups = new float[count];
    numbers.read(from, gates, count);
    numbers.read(after(from, count), ups, count);
    int i = 0;
    for (; i <= count - STEP; i += STEP) {
      var gate = FloatVector.fromArray(FLOATS, gates, i);
      var up = FloatVector.fromArray(FLOATS, ups, i);
      var under = exp(gate.neg()).add(1);
      gate.div(under).mul(up).intoArray(gates, i);
    }
    for (; i < count; i++) gates[i] = (float) (gates[i] / (1 + Math.exp(-gates[i])) * ups[i]);
    numbers.write(gates, to, count);
  }

  /// e to the power of each, to two units in the last place; of what is beyond ±87, of that.
  ///
  /// The Vector API's own differs between compiled and not yet compiled code.
  private static FloatVector exp(FloatVector x) {
    var bounded = x.max(-EDGE).min(EDGE);
    var shifted = bounded.mul(LOG2_E).add(WHOLE); // a whole number in the lower bits
    var whole = shifted.sub(WHOLE);
    var rest = whole.lanewise(VectorOperators.FMA, -LN2_HIGH, bounded);
    rest = whole.lanewise(VectorOperators.FMA, -LN2_LOW, rest);
    var power = FloatVector.broadcast(FLOATS, TERMS[0]);
    for (int i = 1; i < TERMS.length; i++)
      power = power.fma(rest, FloatVector.broadcast(FLOATS, TERMS[i]));
    var exponent = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    return power.reinterpretAsInts().add(exponent).reinterpretAsFloats();
  }

  /// One query's attention.
  ///
  /// @param query a head's numbers
  /// @param past what it sees, one after the other
  /// @param head of the keys and values
  /// @param out where a head's numbers go
  public void attend(long query, int headDim, List<KeyValues> past, int head, long out) {
    int length = 0;
    for (var one : past) length += one.length();
    var weights = new float[length];
    var stacks = new Numbers.Stack[past.size()];
    long apart = (long) headDim * numbers.bytes();
    int from = 0;
    for (int i = 0; i < stacks.length; i++) {
      var one = past.get(i);
      long skipped = head * one.apart();
      numbers.dots(one.keys() + skipped, one.length(), query, headDim, weights, from);
      int to = from + one.length();
      stacks[i] = new Numbers.Stack(one.values() + skipped, apart, weights, from, to);
      from = to;
    }
    softmax(weights, (float) (1 / Math.sqrt(headDim)));
    numbers.addRows(out, headDim, true, stacks);
  }

  private static void softmax(float[] scores, float scale) {
    float most = Float.NEGATIVE_INFINITY;
    for (float score : scores) most = Math.max(most, score);
    float sum = 0;
    int i = 0;
    var sums = FloatVector.zero(FLOATS);
    for (; i <= scores.length - STEP; i += STEP) {
      var some = FloatVector.fromArray(FLOATS, scores, i).sub(most).mul(scale);
      var powers = exp(some);
      powers.intoArray(scores, i);
      sums = sums.add(powers);
    }
    for (; i < scores.length; i++) {
      scores[i] = (float) Math.exp((scores[i] - most) * scale);
      sum += scores[i];
    }
    sum += Numbers.sum(sums);
    for (int j = 0; j < scores.length; j++) scores[j] /= sum;
  }
}
