package dev.espalier.tensor;

import static dev.espalier.tensor.Lanes.PANEL;
import static dev.espalier.tensor.Lanes.ROW;
import static dev.espalier.tensor.Numbers.FLOATS;
import static dev.espalier.tensor.Numbers.MEMORY;
import static dev.espalier.tensor.Numbers.ORDER;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Attention of several queries to a start that all of them see, whose keys and values are read
/// once for all: a query is a lane.
///
/// What a query makes of the start is joined with what it makes of its own positions as if the
/// start were one more of them: with the logarithm of its scores' summed powers as score, and with
/// what was made of it as value.
public final class StartAttention {
  /// Queries at a time.
  public static final int MOST = PANEL;

  private static final int FEW = PANEL / 4; // queries, from which it is the faster one
  private static final long STEP = ROW / 2; // bytes of a register

  private static final ThreadLocal<Room> ROOM = ThreadLocal.withInitial(Room::new);

  private final Numbers numbers;
  private final int headDim;
  private final float scale;

  /// A thread's.
  private static final class Room {
    final float[] block = new float[PANEL * PANEL];
    final float[] row = new float[PANEL];
    final Scratch memory = new Scratch();
  }

  /// @param dtype of queries, keys, values and what is made of them
  /// @param headDim numbers of each
  public StartAttention(Dtype dtype, int headDim) {
    numbers = Numbers.of(dtype);
    this.headDim = headDim;
    scale = (float) (1 / Math.sqrt(headDim));
  }

  /// Whether it is worth its while.
  ///
  /// @param queries how many
  /// @param positions of the start
  public boolean pays(int queries, int positions) {
    return Tiles.HERE && headDim % PANEL == 0 && queries >= FEW && positions >= PANEL;
  }

  /// What queries make of a start.
  ///
  /// @param queries where each lies, [#MOST] at most
  /// @param head of the keys and values
  /// @param made where each one's goes
  /// @param scores the start's as one position, for each query
  public void attend(long[] queries, KeyValues start, int head, long[] made, float[] scores) {
    var room = ROOM.get();
    int blocks = Math.ceilDiv(start.length(), PANEL);
    long query = room.memory.at(ROW * (2L * headDim + (long) blocks * PANEL + 2));
    long out = query + ROW * headDim;
    long weights = out + ROW * headDim;
    long most = weights + ROW * PANEL * blocks;
    lay(queries, query, room.block);
    long skipped = head * start.apart();
    for (int block = 0; block < blocks; block++) {
      long rows = start.keys() + skipped + rows(block);
      score(rows, count(start, block), query, weights + ROW * PANEL * block, room.block);
    }
    for (int half = 0; half < 2; half++) {
      softmax(weights + STEP * half, start.length(), most + STEP * half);
    }
    for (int block = 0; block < blocks; block++) {
      long rows = start.values() + skipped + rows(block);
      long by = weights + ROW * PANEL * block;
      mix(rows, count(start, block), by, block == 0, out, room.block);
    }
    for (long place = 0; place < ROW * headDim; place += STEP) {
      var divided = at(out + place).mul(at(most + ROW + place % ROW));
      divided.intoMemorySegment(MEMORY, out + place, ORDER);
    }
    put(out, made, room);
    var lanes = new float[2 * PANEL];
    Float32.NUMBERS.read(most, lanes, lanes.length);
    for (int i = 0; i < queries.length; i++) {
      scores[i] = lanes[i] - (float) Math.log(lanes[PANEL + i]) / scale;
    }
  }

  private long rows(int block) {
    return (long) block * PANEL * headDim * numbers.bytes();
  }

  private static int count(KeyValues start, int block) {
    return Math.min(PANEL, start.length() - block * PANEL);
  }

  private static FloatVector at(long place) {
    return FloatVector.fromMemorySegment(FLOATS, MEMORY, place, ORDER);
  }

  /// Lays queries side by side: (headDim, PANEL).
  private void lay(long[] queries, long to, float[] block) {
    for (int d = 0; d < headDim; d += PANEL) {
      Arrays.fill(block, 0);
      for (int i = 0; i < queries.length; i++) {
        numbers.load(queries[i] + (long) d * numbers.bytes(), block, i * PANEL, 2);
      }
      Lanes.turn(block);
      Float32.NUMBERS.write(block, to + ROW * d, block.length);
    }
  }

  /// Scores of some keys, (count, PANEL); what follows them is overwritten.
  private void score(long keys, int count, long query, long to, float[] block) {
    long apart = (long) headDim * numbers.bytes();
    for (int d = 0; d < headDim; d += PANEL) {
      numbers.panel(keys + (long) d * numbers.bytes(), apart, count, block);
      for (int key = 0; key < count; key += LaneTiles.ROWS) {
        long place = to + ROW * key;
        LaneTiles.across(block, key * PANEL, query + ROW * d, PANEL, d == 0 ? 0 : place, place);
      }
    }
  }

  /// Makes a register's scores powers.
  ///
  /// @param to where the greatest goes, and a row further one divided by the sum of the powers
  private void softmax(long scores, int count, long to) {
    var most = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < count; i++) most = most.max(at(scores + ROW * i));
    var sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < count; i++) {
      var power = Rows.exp(at(scores + ROW * i).sub(most).mul(scale));
      power.intoMemorySegment(MEMORY, scores + ROW * i, ORDER);
      sum = sum.add(power);
    }
    most.intoMemorySegment(MEMORY, to, ORDER);
    FloatVector.broadcast(FLOATS, 1).div(sum).intoMemorySegment(MEMORY, to + ROW, ORDER);
  }

  /// Adds some values, each times its weight, to what is made: (headDim, PANEL).
  private void mix(long values, int count, long weights, boolean first, long out, float[] block) {
    long apart = (long) headDim * numbers.bytes();
    for (int d = 0; d < headDim; d += PANEL) {
      numbers.panel(values + (long) d * numbers.bytes(), apart, count, block);
      for (int i = 0; i < PANEL; i += LaneTiles.ROWS) {
        long place = out + ROW * (d + i);
        LaneTiles.down(block, i, weights, count, first ? 0 : place, place);
      }
    }
  }

  /// Puts what was made of each query where it goes.
  private void put(long out, long[] made, Room room) {
    for (int d = 0; d < headDim; d += PANEL) {
      Lanes.read(out + ROW * d, room.block, PANEL);
      Lanes.turn(room.block);
      for (int i = 0; i < made.length; i++) {
        System.arraycopy(room.block, i * PANEL, room.row, 0, PANEL);
        numbers.write(room.row, made[i] + (long) d * numbers.bytes(), PANEL);
      }
    }
  }
}
