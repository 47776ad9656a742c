package dev.espalier.tensor;

import static dev.espalier.tensor.Numbers.FLOATS;
import static dev.espalier.tensor.Numbers.LANES;
import static dev.espalier.tensor.Numbers.MEMORY;
import static dev.espalier.tensor.Numbers.ORDER;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Float32 numbers of the tokens of a row, [#PANEL] tokens side by side: of a panel's tokens all
/// first features, then all second ones, and so on.
///
/// What a register holds belongs to as many tokens, so that nothing is ever summed across one, and
/// a product's output lies as the next product wants its input. Tokens that only fill the last
/// panel are zeros until something is computed of them.
///
/// @param at where the first number lies; the current scope owns the memory
/// @param panels how many
/// @param features from a panel's first number to the next panel's: those of a token, also where
///   this is a view that begins at a later one
public record Lanes(long at, int panels, int features) {
  /// Tokens side by side.
  public static final int PANEL = 2 * LANES;

  private static final boolean BFLOAT16_FASTER = Processor.here().multipliesBfloat16Faster();
  private static final long SMALL = 64L << 20; // bytes of weights

  /// Bytes from a feature of a panel to the next.
  static final long ROW = (long) Float.BYTES * PANEL;

  /// Whether tokens of so many features are computed with here.
  public static boolean fit(int... features) {
    for (int each : features) if (each % LaneTiles.ROWS != 0) return false;
    return Tiles.HERE;
  }

  /// Whether products with a model's weights are faster by Java, in float32, than by libtorch: in
  /// 16 bit, where the processor multiplies that faster, only with those of a small model, which
  /// take less time than oneDNN takes to begin, and to compile them for each number of rows that it
  /// meets.
  ///
  /// @param dtype of the weights
  /// @param bytes of all of them
  public static boolean faster(Dtype dtype, long bytes) {
    return Tiles.HERE && (dtype == Dtype.F32 || small(bytes) || !BFLOAT16_FASTER);
  }

  /// Whether a model with so many bytes of weights is so small that they are laid out for any pass.
  public static boolean small(long bytes) {
    return bytes <= SMALL;
  }

  /// So many features, and what is missing of a tile.
  public static int padded(int features) {
    return Math.ceilDiv(features, LaneTiles.ROWS) * LaneTiles.ROWS;
  }

  /// Room for tokens, with anything in it.
  public static Lanes empty(int tokens, int features) {
    return of(tokens, features, false);
  }

  /// Tokens whose features are all zero.
  public static Lanes zeros(int tokens, int features) {
    return of(tokens, features, true);
  }

  private static Lanes of(int tokens, int features, boolean zero) {
    int panels = panels(tokens);
    long[] size = {panels, features, PANEL};
    var memory = zero ? torch.zeros(size, Dtype.F32.options()) : torch.empty(size);
    return new Lanes(Rows.at(memory), panels, features);
  }

  /// How many panels so many tokens fill.
  public static int panels(int tokens) {
    return Math.ceilDiv(tokens, PANEL);
  }

  /// Tokens that lie one after the other.
  ///
  /// @param rows (T, features), the features of which lie together
  public static Lanes of(Tensor rows) {
    var out = empty(Math.toIntExact(rows.size(0)), Math.toIntExact(rows.size(1)));
    out.fill(0, rows.unsqueeze(0));
    return out;
  }

  /// Makes tokens from a panel on those that lie by head.
  ///
  /// @param heads (heads, n, features of a head), the features of which lie together
  public void fill(int first, Tensor heads) {
    int count = Math.toIntExact(heads.size(0));
    int tokens = Math.toIntExact(heads.size(1));
    int size = Math.toIntExact(heads.size(2));
    long byHead = heads.stride(0);
    long byToken = heads.stride(1);
    var numbers = Numbers.of(Dtype.of(heads));
    long from = Rows.at(heads);
    Crew.device()
        .run(
            panels(tokens) * count,
            (long) tokens * count * size,
            job -> {
              int panel = job / count;
              int head = job % count;
              var block = new float[PANEL * PANEL];
              for (int i = 0; i < size; i += PANEL) {
                int some = Math.min(PANEL, size - i);
                Arrays.fill(block, 0);
                for (int t = 0; t < Math.min(PANEL, tokens - panel * PANEL); t++) {
                  long place = head * byHead + (panel * PANEL + t) * byToken + i;
                  numbers.read(from + place * numbers.bytes(), block, t * PANEL, some);
                }
                turn(block);
                long to = place(first + panel, head * size + i);
                Float32.NUMBERS.write(block, to, some * PANEL);
              }
            });
  }

  /// Where a feature of a panel's tokens lies.
  public long place(int panel, int feature) {
    return at + ROW * ((long) panel * features + feature);
  }

  /// Some of its panels.
  public Lanes part(int first, int end) {
    return new Lanes(place(first, 0), end - first, features);
  }

  /// The same tokens from a feature on.
  public Lanes from(int feature) {
    return new Lanes(place(0, feature), panels, features);
  }

  /// A copy of some tokens, in that order.
  public Lanes some(int[] tokens) {
    var out = zeros(tokens.length, features);
    for (int t = 0; t < tokens.length; t++) {
      for (int i = 0; i < features; i++) out.set(t, i, get(tokens[t], i));
    }
    return out;
  }

  /// Adds tokens to some tokens of others, in that order.
  public void addTo(Lanes others, int[] tokens) {
    for (int t = 0; t < tokens.length; t++) {
      for (int i = 0; i < features; i++) {
        others.set(tokens[t], i, others.get(tokens[t], i) + get(t, i));
      }
    }
  }

  /// The first tokens one after the other: (tokens, features).
  public Tensor rows(int tokens) {
    return rows(0, features, tokens);
  }

  /// Some features of the first tokens one after the other: (tokens, count).
  ///
  /// @param feature the first
  public Tensor rows(int feature, int count, int tokens) {
    var out = torch.empty(tokens, count);
    long to = Rows.at(out);
    Crew.device()
        .run(
            panels(tokens),
            (long) tokens * count,
            panel -> {
              int first = panel * PANEL;
              long at = to + (long) Float.BYTES * first * count;
              put(panel, feature, count, at, Math.min(PANEL, tokens - first));
            });
    return out;
  }

  private void put(int panel, int feature, int count, long rows, int tokens) {
    var block = new float[PANEL * PANEL];
    var row = new float[PANEL];
    for (int i = 0; i < count; i += PANEL) {
      int some = Math.min(PANEL, count - i);
      read(place(panel, feature + i), block, some);
      turn(block);
      for (int t = 0; t < tokens; t++) {
        System.arraycopy(block, t * PANEL, row, 0, some);
        Float32.NUMBERS.write(row, rows + (long) Float.BYTES * ((long) t * count + i), some);
      }
    }
  }

  private float get(int token, int feature) {
    return Float32.NUMBERS.get(number(token, feature));
  }

  private void set(int token, int feature, float number) {
    Float32.NUMBERS.set(number(token, feature), number);
  }

  private long number(int token, int feature) {
    return place(token / PANEL, feature) + (long) Float.BYTES * (token % PANEL);
  }

  /// Makes columns of the rows of a block, which is as wide as a panel.
  static void turn(float[] block) {
    var square = new float[LANES * LANES];
    var other = new float[LANES * LANES];
    for (int i = 0; i < PANEL; i += LANES) {
      for (int j = 0; j <= i; j += LANES) {
        square(block, i, j, square);
        square(block, j, i, other);
        Numbers.turn(square);
        Numbers.turn(other);
        put(square, block, j, i);
        put(other, block, i, j);
      }
    }
  }

  private static void square(float[] block, int row, int column, float[] to) {
    for (int i = 0; i < LANES; i++) {
      FloatVector.fromArray(FLOATS, block, (row + i) * PANEL + column).intoArray(to, i * LANES);
    }
  }

  private static void put(float[] square, float[] block, int row, int column) {
    for (int i = 0; i < LANES; i++) {
      FloatVector.fromArray(FLOATS, square, i * LANES).intoArray(block, (row + i) * PANEL + column);
    }
  }

  /// Copies numbers of a panel to an array.
  static void read(long from, float[] to, int features) {
    for (int i = 0; i < features * PANEL; i += LANES) {
      FloatVector.fromMemorySegment(FLOATS, MEMORY, from + (long) Float.BYTES * i, ORDER)
          .intoArray(to, i);
    }
  }
}
