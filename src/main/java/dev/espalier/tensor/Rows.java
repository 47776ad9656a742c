package dev.espalier.tensor;

import java.lang.foreign.Arena;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

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
  private static final float[] TERMS = {1f / 5040, 1f / 720, 1f / 120, 1f / 24, 1f / 6, 0.5f, 1, 1};

  private static final int EXERCISE = 64; // numbers

  private final Numbers numbers;

  /// @throws IllegalArgumentException if libtorch alone computes with that type
  public Rows(Dtype dtype) {
    numbers = Numbers.of(dtype);
  }

  /// What [WarmUp] has compiled of it.
  void exercise(int times) {
    try (var arena = Arena.ofConfined()) {
      long some = arena.allocate((long) EXERCISE * EXERCISE * numbers.bytes()).address();
      var row = new float[EXERCISE];
      var past = List.of(new KeyValues(some, some, 0, EXERCISE / 4));
      for (int i = 0; i < times; i++) {
        numbers.dots(some, 5, some, EXERCISE, row, 0);
        attend(some, EXERCISE, past, 0, some);
        gate(some, some, EXERCISE);
        read(some, row);
        norm(row, row, 1, row);
        rotate(row, 0, row, row);
        write(row, some);
        add(some, row);
      }
      if (Tiles.HERE) RowProduct.exercise(numbers, some, times);
    }
  }

  /// Where a tensor's first number lies; 0 for one that has none.
  public static long at(Tensor tensor) {
    return tensor.numel() == 0 ? 0 : tensor.data_ptr().address();
  }

  /// The same; 0 for no tensor.
  public static long orNone(@Nullable Tensor tensor) {
    return tensor == null ? 0 : at(tensor);
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

  /// Makes of each number the nearest one of this type.
  public void round(float[] row) {
    numbers.round(row);
  }

  public void copy(long from, long to, int count) {
    numbers.copy(from, to, count);
  }

  /// Adds numbers to a row.
  public void add(long from, float[] to) {
    numbers.addInOrder(from, to, to.length);
  }

  /// RMS norm.
  ///
  /// @param out may be the row itself
  public static void norm(float[] row, float[] weight, double eps, float[] out) {
    norm(row, 0, weight, eps, out);
  }

  /// RMS norm of a part of a row.
  ///
  /// @param from where the part starts, in the row and in what is put out
  /// @param weight of the part
  /// @param out may be the row itself
  public static void norm(float[] row, int from, float[] weight, double eps, float[] out) {
    float scale = inverse(row, from, weight.length, eps);
    int i = 0;
    for (; i <= weight.length - STEP; i += STEP) {
      var some = FloatVector.fromArray(FLOATS, row, from + i).mul(scale);
      some.mul(FloatVector.fromArray(FLOATS, weight, i)).intoArray(out, from + i);
    }
    for (; i < weight.length; i++) out[from + i] = row[from + i] * scale * weight[i];
  }

  /// One divided by the root mean square of a part of a row.
  static float inverse(float[] row, int from, int count, double eps) {
    return (float) (1 / Math.sqrt(dot(row, from, row, from, count) / count + eps));
  }

  /// Σ one · other.
  ///
  /// @param from where the first vector's numbers start
  /// @param at where the second's do
  public static float dot(float[] one, int from, float[] other, int at, int count) {
    var sums = FloatVector.zero(FLOATS);
    int i = 0;
    for (; i <= count - STEP; i += STEP) {
      var some = FloatVector.fromArray(FLOATS, one, from + i);
      sums = some.fma(FloatVector.fromArray(FLOATS, other, at + i), sums);
    }
    float sum = Numbers.sum(sums);
    for (; i < count; i++) sum += one[from + i] * other[at + i];
    return sum;
  }

  /// Rotates a head's numbers: the first half with the second.
  ///
  /// @param from where the head starts
  /// @param cos one for each number
  /// @param sin likewise; those of the first half are negative
  public static void rotate(float[] row, int from, float[] cos, float[] sin) {
    turn(row, from, cos, sin, 0, cos.length / 2);
  }

  /// Rotates a head's numbers one way or back.
  ///
  /// @param left where the sines begin that the second half is multiplied with for the first
  /// @param right those of the first half for the second
  static void turn(float[] row, int from, float[] cos, float[] sin, int left, int right) {
    int half = cos.length / 2;
    int middle = from + half;
    int i = 0;
    for (; i <= half - STEP; i += STEP) {
      var first = FloatVector.fromArray(FLOATS, row, from + i);
      var second = FloatVector.fromArray(FLOATS, row, middle + i);
      var toFirst = second.mul(FloatVector.fromArray(FLOATS, sin, left + i));
      var toSecond = first.mul(FloatVector.fromArray(FLOATS, sin, right + i));
      var kept = FloatVector.fromArray(FLOATS, cos, half + i);
      first.mul(FloatVector.fromArray(FLOATS, cos, i)).add(toFirst).intoArray(row, from + i);
      second.mul(kept).add(toSecond).intoArray(row, middle + i);
    }
    for (; i < half; i++) {
      float first = row[from + i];
      float second = row[middle + i];
      row[from + i] = first * cos[i] + second * sin[left + i];
      row[middle + i] = second * cos[half + i] + first * sin[right + i];
    }
  }

  /// silu(gate) · up.
  ///
  /// @param from the gates, and after them as many ups
  public void gate(long from, long to, int count) {
    var gates = new float[Math.min(Numbers.PART, count)];
    var ups = new float[gates.length];
    for (int i = 0; i < count; i += Numbers.PART) {
      int some = Math.min(Numbers.PART, count - i);
      numbers.read(after(from, i), gates, some);
      numbers.read(after(from, (long) count + i), ups, some);
      gate(gates, ups, some);
      numbers.write(gates, after(to, i), some);
    }
  }

  /// Makes of each gate silu(gate) · up.
  public static void gate(float[] gates, float[] ups) {
    gate(gates, ups, gates.length);
  }

  private static void gate(float[] gates, float[] ups, int count) {
    int i = 0;
    for (; i <= count - STEP; i += STEP) {
      var gate = FloatVector.fromArray(FLOATS, gates, i);
      var up = FloatVector.fromArray(FLOATS, ups, i);
      var under = exp(gate.neg()).add(1);
      gate.div(under).mul(up).intoArray(gates, i);
    }
    for (; i < count; i++) {
      gates[i] = (float) (gates[i] / (1 + Math.exp(-gates[i])) * ups[i]);
    }
  }

  /// e to the power of each, to one unit in the last place; of what is beyond ±87, of that.
  ///
  /// The Vector API's own differs between compiled and not yet compiled code.
  static FloatVector exp(FloatVector x) {
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
    softmax(weights, 0, length, (float) (1 / Math.sqrt(headDim)));
    numbers.putRows(out, headDim, stacks);
  }

  /// One query's attention to its own positions, joined with what [StartAttention] made of a start.
  ///
  /// @param score the start's, as if it were one position more
  /// @param out its value, which becomes the output
  public void attend(long query, int headDim, KeyValues own, int head, float score, long out) {
    int length = own.length();
    var weights = new float[length + 1];
    long apart = (long) headDim * numbers.bytes();
    long skipped = head * own.apart();
    numbers.dots(own.keys() + skipped, length, query, headDim, weights, 0);
    weights[length] = score;
    softmax(weights, 0, length + 1, (float) (1 / Math.sqrt(headDim)));
    var values = new Numbers.Stack(own.values() + skipped, apart, weights, 0, length);
    var start = new Numbers.Stack(out, apart, weights, length, length + 1);
    numbers.putRows(out, headDim, values, start);
  }

  /// exp(scale · score) of some scores, divided by their sum.
  ///
  /// @param from where they start
  public static void softmax(float[] scores, int from, int count, float scale) {
    float sum = powers(scores, from, count, scale, most(scores, from, count));
    for (int j = from; j < from + count; j++) scores[j] /= sum;
  }

  /// Makes of some scores exp(scale · (score − most)).
  ///
  /// @param from where they start
  /// @param most of them
  /// @return their sum
  static float powers(float[] scores, int from, int count, float scale, float most) {
    int end = from + count;
    int i = from;
    var sums = FloatVector.zero(FLOATS);
    for (; i <= end - STEP; i += STEP) {
      var some = FloatVector.fromArray(FLOATS, scores, i).sub(most).mul(scale);
      var powers = exp(some);
      powers.intoArray(scores, i);
      sums = sums.add(powers);
    }
    float sum = 0;
    for (; i < end; i++) {
      scores[i] = (float) Math.exp((scores[i] - most) * scale);
      sum += scores[i];
    }
    return sum + Numbers.sum(sums);
  }

  /// The greatest of some scores.
  ///
  /// @param from where they start
  static float most(float[] scores, int from, int count) {
    int end = from + count;
    int i = from;
    var most = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
    for (; i <= end - STEP; i += STEP) {
      var some = FloatVector.fromArray(FLOATS, scores, i);
      most = most.blend(some, some.compare(VectorOperators.GT, most));
    }
    var lanes = new float[STEP];
    most.intoArray(lanes, 0);
    float out = Float.NEGATIVE_INFINITY;
    for (float lane : lanes) out = Math.max(out, lane);
    for (; i < end; i++) out = Math.max(out, scores[i]);
    return out;
  }
}
