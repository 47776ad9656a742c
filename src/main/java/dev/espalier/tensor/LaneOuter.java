package dev.espalier.tensor;

import static dev.espalier.tensor.Lanes.ROW;
import static dev.espalier.tensor.Numbers.LANES;

import java.util.Arrays;

/// Products of features with features, added up over all tokens: the gradient of a matrix.
public final class LaneOuter {
  private static final int SIDE = 4; // features of either side at a time
  private static final int TILE = SIDE * SIDE * LANES; // partial sums of as many each
  private static final int TOGETHER = 8; // panels, which all tiles meet while they are in the cache
  private static final ThreadLocal<float[]> PARTIAL = ThreadLocal.withInitial(() -> new float[0]);

  private LaneOuter() {}

  /// Zeros, for the partial sums of all tiles.
  private static float[] room(int size) {
    var room = PARTIAL.get();
    if (room.length < size) {
      room = new float[size];
      PARTIAL.set(room);
    }
    Arrays.fill(room, 0, size, 0);
    return room;
  }

  /// Adds scale · Σ one · other to a matrix.
  ///
  /// @param one its first features, a row for each
  /// @param other likewise, a column for each
  /// @param to (rows, columns), where the matrix lies
  /// @param first of the columns that are computed, a multiple of four
  /// @param end of the columns
  public static void add(
      Lanes one, int rows, Lanes other, int columns, float scale, long to, int first, int end) {
    int across = Math.ceilDiv(end - first, SIDE);
    int down = Math.ceilDiv(rows, SIDE);
    var partial = room(across * down * TILE);
    for (int panel = 0; panel < one.panels(); panel += TOGETHER) {
      int some = Math.min(TOGETHER, one.panels() - panel);
      int place = 0;
      for (int j = 0; j < across; j++) {
        long right = other.place(panel, first + j * SIDE);
        for (int i = 0; i < down; i++, place += TILE) {
          long left = one.place(panel, i * SIDE);
          LaneTiles.dots(
              left, ROW * one.features(), right, ROW * other.features(), some, partial, place);
        }
      }
    }
    var tile = new float[TILE];
    int at = 0;
    for (int j = first; j < end; j += SIDE) {
      for (int i = 0; i < rows; i += SIDE, at += TILE) {
        System.arraycopy(partial, at, tile, 0, TILE);
        Numbers.sums(tile);
        for (int r = 0; r < Math.min(SIDE, rows - i); r++) {
          for (int c = 0; c < Math.min(SIDE, end - j); c++) {
            long place = to + (long) Float.BYTES * ((long) (i + r) * columns + j + c);
            Float32.NUMBERS.set(place, Float32.NUMBERS.get(place) + scale * tile[r * SIDE + c]);
          }
        }
      }
    }
  }
}
