package dev.espalier.tensor;

import static dev.espalier.tensor.Lanes.PANEL;
import static dev.espalier.tensor.Numbers.FLOATS;
import static dev.espalier.tensor.Numbers.LANES;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// A matrix where it lies, and its products with tokens side by side, in float32.
///
/// A block of it is laid out for the registers at a time, and meets all panels before the next one
/// is; so a product wants many tokens, or a matrix that is laid out already.
public final class LaneMatrix {
  private static final int DEPTH = 128; // numbers of a row that are laid out at a time

  private static final ThreadLocal<Room> ROOM = ThreadLocal.withInitial(Room::new);

  private final Numbers numbers;
  private final long at;
  private final int rows;
  private final int columns;
  private final @Nullable Panels panels;
  private final SplitProduct.@Nullable Left left; // where there is one
  private final SplitProduct.@Nullable Left transposed;
  private final int from; // which row of those laid out is the first

  /// A thread's: a block, and squares of it.
  private static final class Room {
    final float[] block = new float[DEPTH * PANEL];
    final float[] strip = new float[LANES * DEPTH];
    final float[] square = new float[LANES * LANES];
  }

  /// @param matrix (rows, columns), contiguous, which must outlive this
  public LaneMatrix(Tensor matrix) {
    this(matrix, null, 0);
  }

  /// Some rows of a matrix.
  ///
  /// @param matrix (rows, columns), contiguous, which must outlive this
  /// @param laid the whole matrix laid out, which must too; null where it is not
  /// @param from which of the whole one's rows is the first
  public LaneMatrix(Tensor matrix, @Nullable Laid laid, int from) {
    this(
        Numbers.of(Dtype.of(matrix)),
        Rows.at(matrix),
        Math.toIntExact(matrix.size(0)),
        Math.toIntExact(matrix.size(1)),
        laid,
        from);
  }

  LaneMatrix(Numbers numbers, long at, int rows, int columns) {
    this(numbers, at, rows, columns, null, 0);
  }

  private LaneMatrix(
      Numbers numbers, long at, int rows, int columns, @Nullable Laid laid, int from) {
    this.numbers = numbers;
    this.at = at;
    this.rows = rows;
    this.columns = columns;
    panels = laid != null && from % PANEL == 0 ? laid.ones() : null;
    var split = laid != null && rows % 2 == 0 ? laid.split() : null;
    left = split == null ? null : split.rows(from, rows);
    transposed = split == null ? null : split.transposed(from, rows);
    this.from = from;
  }

  public int rows() {
    return rows;
  }

  /// Multiplies: a feature of the product for each row.
  ///
  /// @param x what is multiplied: as many features as there are columns
  /// @param start what is added to; null for zeros, and may be the product's own
  /// @param product where it goes, for as many panels
  public void multiply(Lanes x, @Nullable Lanes start, Lanes product) {
    if (left != null) {
      left.multiply(x, start, product);
      return;
    }
    var room = ROOM.get();
    for (int row = 0; row < rows; row += PANEL) {
      int some = Math.min(PANEL, rows - row);
      for (int column = 0; column < columns; column += DEPTH) {
        int count = Math.min(DEPTH, columns - column);
        lay(row, some, column, count, room);
        var before = column == 0 ? start : product;
        tiles(room.block, some, count, x.from(column), from(before, row), product.from(row));
      }
    }
  }

  /// Multiplies by the transpose: a feature of the product for each column.
  ///
  /// @param x what is multiplied: as many features as there are rows
  /// @param start what is added to; null for zeros, and may be the product's own
  /// @param product where it goes, for as many panels
  public void multiplyTransposed(Lanes x, @Nullable Lanes start, Lanes product) {
    if (transposed != null) {
      transposed.multiply(x, start, product);
      return;
    }
    var block = ROOM.get().block;
    for (int column = 0; column < columns; column += PANEL) {
      int some = Math.min(PANEL, columns - column);
      for (int row = 0; row < rows; row += DEPTH) {
        int count = Math.min(DEPTH, rows - row);
        if (some == PANEL) {
          numbers.panel(place(row, column), (long) columns * numbers.bytes(), count, block);
        } else {
          Arrays.fill(block, 0);
          for (int i = 0; i < count; i++) load(row + i, column, block, i * PANEL, some);
        }
        var before = row == 0 ? start : product;
        tiles(block, some, count, x.from(row), from(before, column), product.from(column));
      }
    }
  }

  private static @Nullable Lanes from(@Nullable Lanes start, int feature) {
    return start == null ? null : start.from(feature);
  }

  private long place(int row, int column) {
    return at + ((long) row * columns + column) * numbers.bytes();
  }

  private void load(int row, int column, float[] to, int place, int count) {
    numbers.readFew(place(row, column), to, place, count);
  }

  /// Lays rows side by side.
  private void lay(int row, int some, int column, int count, Room room) {
    if (panels != null) {
      numbers.panel(panels.at(from + row, column), panels.width(), count, room.block);
      return;
    }
    for (int from = 0; from < some; from += LANES) {
      int high = Math.min(LANES, some - from);
      for (int i = 0; i < high; i++) {
        load(row + from + i, column, room.strip, i * DEPTH, count);
      }
      for (int i = 0; i < count; i += LANES) {
        for (int n = 0; n < LANES; n++) {
          var part =
              n < high
                  ? FloatVector.fromArray(FLOATS, room.strip, n * DEPTH + i)
                  : FloatVector.zero(FLOATS);
          part.intoArray(room.square, n * LANES);
        }
        Numbers.turn(room.square);
        for (int n = 0; n < Math.min(LANES, count - i); n++) {
          FloatVector.fromArray(FLOATS, room.square, n * LANES)
              .intoArray(room.block, (i + n) * PANEL + from);
        }
      }
    }
  }

  /// @param some rows of the block; it has zeros for what is missing of a tile
  private static void tiles(
      float[] block, int some, int count, Lanes x, @Nullable Lanes start, Lanes product) {
    for (int panel = 0; panel < product.panels(); panel++) {
      long right = x.place(panel, 0);
      for (int row = 0; row < some; row += LaneTiles.ROWS) {
        long before = start == null ? 0 : start.place(panel, row);
        LaneTiles.down(block, row, right, count, before, product.place(panel, row));
      }
    }
  }
}
