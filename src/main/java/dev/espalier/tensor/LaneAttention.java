package dev.espalier.tensor;

import static dev.espalier.tensor.Lanes.PANEL;
import static dev.espalier.tensor.Lanes.ROW;
import static dev.espalier.tensor.Numbers.FLOATS;
import static dev.espalier.tensor.Numbers.LANES;
import static dev.espalier.tensor.Numbers.MEMORY;
import static dev.espalier.tensor.Numbers.ORDER;

import java.util.Arrays;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/// Attention of a head, a panel of queries at a time, and the way back. A query is a lane, so that
/// a softmax is computed without a sum across a register.
///
/// @param headDim features of a head, a multiple of [LaneTiles#ROWS]
public record LaneAttention(int headDim) {
  /// A panel of keys that some query of a panel sees.
  ///
  /// @param panel which one
  /// @param seen for each key which queries see it, a bit each; null where all see all
  @SuppressWarnings("ArrayRecordComponent") // nobody compares them
  public record Block(int panel, long @Nullable [] seen) {
    long seen(int key) {
      return seen == null ? -1 : seen[key];
    }
  }

  /// A head of some tokens.
  ///
  /// @param from its first feature
  public record Head(Lanes lanes, int from) {
    long at(int panel) {
      return lanes.place(panel, from);
    }
  }

  private static final long STEP = ROW / 2; // bytes of a register
  private static final int HALF = PANEL / 2;
  private static final long BLOCK = ROW * PANEL; // bytes of a block's scores

  private static final ThreadLocal<Room> ROOM = ThreadLocal.withInitial(Room::new);

  /// A thread's.
  private static final class Room {
    final Scratch memory = new Scratch();
    private float[] keys = {};
    private float[] values = {};
    final float[] weights = new float[PANEL * PANEL];
    final float[] gradients = new float[PANEL * PANEL];

    float[] keys(long from, int features) {
      if (keys.length < features * PANEL) keys = new float[features * PANEL];
      Lanes.read(from, keys, features);
      return keys;
    }

    float[] values(long from, int features) {
      if (values.length < features * PANEL) values = new float[features * PANEL];
      Lanes.read(from, values, features);
      return values;
    }
  }

  private float scale() {
    return (float) (1 / Math.sqrt(headDim));
  }

  private static FloatVector at(long place) {
    return FloatVector.fromMemorySegment(FLOATS, MEMORY, place, ORDER);
  }

  /// Which tokens of a register see a key.
  private static VectorMask<Float> mask(long seen, int half) {
    return VectorMask.fromLong(FLOATS, seen >>> (half * HALF) & ((1L << HALF) - 1));
  }

  /// What a panel of queries makes of the values.
  ///
  /// @param blocks every query sees a key of
  /// @param out (headDim, PANEL)
  /// @param softmax (2, PANEL), where the way back finds each query's greatest score, and one
  ///   divided by the sum of its weights
  public void forward(
      long query, Head keys, Head values, List<Block> blocks, long out, long softmax) {
    var room = ROOM.get();
    long scores = room.memory.at(BLOCK * blocks.size());
    for (int i = 0; i < blocks.size(); i++) {
      var some = room.keys(keys.at(blocks.get(i).panel()), headDim);
      products(some, query, scores + BLOCK * i);
    }
    for (int half = 0; half < 2; half++) softmax(blocks, scores, half, softmax);
    for (int i = 0; i < blocks.size(); i++) {
      var some = room.values(values.at(blocks.get(i).panel()), headDim);
      for (int d = 0; d < headDim; d += LaneTiles.ROWS) {
        long to = out + ROW * d;
        LaneTiles.across(some, d * PANEL, scores + BLOCK * i, PANEL, i == 0 ? 0 : to, to);
      }
    }
    for (long place = 0; place < ROW * headDim; place += STEP) {
      at(out + place)
          .mul(at(softmax + ROW + place % ROW))
          .intoMemorySegment(MEMORY, out + place, ORDER);
    }
  }

  /// Products of a panel of keys, or values, with what has a head's features: (PANEL, PANEL).
  private void products(float[] keys, long query, long to) {
    for (int key = 0; key < PANEL; key += LaneTiles.ROWS) {
      LaneTiles.down(keys, key, query, headDim, 0, to + ROW * key);
    }
  }

  /// Makes scores weights, which are not divided by their sum yet.
  private void softmax(List<Block> blocks, long scores, int half, long softmax) {
    var most = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < blocks.size(); i++) {
      long at = scores + BLOCK * i + STEP * half;
      for (int key = 0; key < PANEL; key++) {
        var score = at(at + ROW * key);
        var greater = score.compare(VectorOperators.GT, most);
        most = most.blend(score, greater.and(mask(blocks.get(i).seen(key), half)));
      }
    }
    var sum = FloatVector.zero(FLOATS);
    float scale = scale();
    for (int i = 0; i < blocks.size(); i++) {
      long at = scores + BLOCK * i + STEP * half;
      for (int key = 0; key < PANEL; key++) {
        var power = Rows.exp(at(at + ROW * key).sub(most).mul(scale));
        var weight = FloatVector.zero(FLOATS).blend(power, mask(blocks.get(i).seen(key), half));
        weight.intoMemorySegment(MEMORY, at + ROW * key, ORDER);
        sum = sum.add(weight);
      }
    }
    most.intoMemorySegment(MEMORY, softmax + STEP * half, ORDER);
    FloatVector.broadcast(FLOATS, 1)
        .div(sum)
        .intoMemorySegment(MEMORY, softmax + ROW + STEP * half, ORDER);
  }

  /// Bytes that the gradients of a panel's keys or values take for [#backward].
  public long room() {
    return ROW * PANEL * parts();
  }

  private int parts() {
    return Math.ceilDiv(headDim, PANEL);
  }

  /// The way back of a panel of queries.
  ///
  /// @param query (headDim, PANEL)
  /// @param softmax what [#forward] left
  /// @param gradient of what it made
  /// @param toQuery where the query's gradient goes
  /// @param toKeys where the keys' gradients are added to, [#room] for each panel of the row
  /// @param toValues likewise
  public void backward(
      long query,
      Head keys,
      Head values,
      List<Block> blocks,
      long softmax,
      long gradient,
      long toQuery,
      long toKeys,
      long toValues) {
    var room = ROOM.get();
    long weights = room.memory.at(2 * BLOCK * blocks.size() + 2 * room() + ROW);
    long ofWeights = weights + BLOCK * blocks.size();
    long turnedQuery = ofWeights + BLOCK * blocks.size();
    long turnedGradient = turnedQuery + room();
    long mean = turnedGradient + room();
    turn(query, turnedQuery, room);
    turn(gradient, turnedGradient, room);
    for (int i = 0; i < blocks.size(); i++) {
      int panel = blocks.get(i).panel();
      products(room.keys(keys.at(panel), headDim), query, weights + BLOCK * i);
      products(room.values(values.at(panel), headDim), gradient, ofWeights + BLOCK * i);
    }
    for (int half = 0; half < 2; half++) weights(blocks, weights, ofWeights, half, softmax, mean);
    for (int i = 0; i < blocks.size(); i++) {
      int panel = blocks.get(i).panel();
      long ofScores = ofWeights + BLOCK * i;
      gradients(weights + BLOCK * i, ofScores, mean, room);
      add(room.weights, turnedGradient, toValues + room() * panel);
      add(room.gradients, turnedQuery, toKeys + room() * panel);
      var some = room.keys(keys.at(panel), headDim);
      for (int d = 0; d < headDim; d += LaneTiles.ROWS) {
        long to = toQuery + ROW * d;
        LaneTiles.across(some, d * PANEL, ofScores, PANEL, i == 0 ? 0 : to, to);
      }
    }
  }

  /// Makes scores weights again, and finds the mean of their gradients.
  private void weights(
      List<Block> blocks, long scores, long ofWeights, int half, long softmax, long mean) {
    long step = STEP * half;
    float scale = scale();
    var most = at(softmax + step);
    var inverse = at(softmax + ROW + step);
    var sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < blocks.size(); i++) {
      for (int key = 0; key < PANEL; key++) {
        long place = BLOCK * i + ROW * key + step;
        var power = Rows.exp(at(scores + place).sub(most).mul(scale)).mul(inverse);
        var weight = FloatVector.zero(FLOATS).blend(power, mask(blocks.get(i).seen(key), half));
        weight.intoMemorySegment(MEMORY, scores + place, ORDER);
        sum = weight.fma(at(ofWeights + place), sum);
      }
    }
    sum.intoMemorySegment(MEMORY, mean + step, ORDER);
  }

  /// Makes gradients of weights those of scores: weight · (gradient − mean).
  private void gradients(long weights, long ofWeights, long mean, Room room) {
    float scale = scale();
    for (int half = 0; half < 2; half++) {
      var subtracted = at(mean + STEP * half);
      for (int key = 0; key < PANEL; key++) {
        long place = ROW * key + STEP * half;
        var weight = at(weights + place);
        var made = at(ofWeights + place).sub(subtracted).mul(weight).mul(scale);
        made.intoMemorySegment(MEMORY, ofWeights + place, ORDER);
        made.intoArray(room.gradients, key * PANEL + half * LANES);
        weight.intoArray(room.weights, key * PANEL + half * LANES);
      }
    }
  }

  /// Adds what a panel's keys get of all queries: (PANEL, headDim), [Lanes#PANEL] features at a
  /// time.
  private void add(float[] weights, long turned, long to) {
    for (int part = 0; part < parts(); part++) {
      for (int key = 0; key < PANEL; key += LaneTiles.ROWS) {
        long place = to + BLOCK * part + ROW * key;
        LaneTiles.across(weights, key * PANEL, turned + BLOCK * part, PANEL, place, place);
      }
    }
  }

  /// Lays tokens one after the other, [Lanes#PANEL] features at a time.
  private void turn(long lanes, long to, Room room) {
    for (int part = 0; part < parts(); part++) {
      int some = Math.min(PANEL, headDim - part * PANEL);
      turn(lanes + BLOCK * part, some, to + BLOCK * part, PANEL, room);
    }
  }

  /// The gradients of a panel's keys or values as a head's.
  ///
  /// @param made what [#backward] added up for the panel
  /// @param to (headDim, PANEL)
  public void turnBack(long made, long to) {
    var room = ROOM.get();
    for (int part = 0; part < parts(); part++) {
      int some = Math.min(PANEL, headDim - part * PANEL);
      turn(made + BLOCK * part, PANEL, to + BLOCK * part, some, room);
    }
  }

  private static void turn(long from, int rows, long to, int columns, Room room) {
    var block = room.weights;
    Lanes.read(from, block, rows);
    Arrays.fill(block, rows * PANEL, block.length, 0);
    Lanes.turn(block);
    Float32.NUMBERS.write(block, to, columns * PANEL);
  }
}
