package dev.espalier.tensor;

import static dev.espalier.tensor.Numbers.LANES;

import java.util.function.IntConsumer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// A few rows times a matrix. One is multiplied near the speed at which the matrix can be read, and
/// several have the bits that each has alone; by [PairedProduct], that each has beside any others.
///
/// This is what streams wait for: oneDNN's products read at half of the memory's bandwidth with one
/// row as with many, and OpenBLAS and oneDNN compute with few rows at a third to a half of their
/// speed with many. Where several rows are multiplied here, a copy of the matrix is laid out for
/// it; one is multiplied by the matrix as it lies where the only copy is in pairs, a tenth faster.
public final class RowProduct {
  private static final int BLOCK = Panels.TOGETHER * Tiles.COLUMNS; // a thread takes at once
  private static final int PAIR = 2 * Tiles.COLUMNS;
  private static final int MANY = 8; // rows, for which widening a panel pays
  private static final int MOST = 128; // rows, for which it was measured to be the faster one

  private static final ThreadLocal<Room> ROOM = ThreadLocal.withInitial(Room::new);

  private final Numbers numbers;
  private final long matrix; // where it lies
  private final int in;
  private final int out;
  private final @Nullable Panels panels;
  private final @Nullable PairedProduct paired;

  /// A thread's, between two products.
  private static final class Room {
    final TileRows rows = new TileRows();
    final float[] sums = new float[2 * Math.max(Tiles.ROWS * Tiles.COLUMNS, Tiles.FEW * PAIR)];
    private final Scratch panels = new Scratch();

    long panels(int count, int length) {
      return panels.at(count * Tiles.WIDTH * length);
    }
  }

  /// By a matrix that stays its owner's, as its panels do.
  ///
  /// @param matrix (out, in), contiguous
  /// @param laid the matrix laid out; null to read it where it lies
  public RowProduct(Tensor matrix, @Nullable Laid laid) {
    numbers = Numbers.of(Dtype.of(matrix));
    this.matrix = matrix.data_ptr().address();
    in = Math.toIntExact(matrix.size(1));
    out = Math.toIntExact(matrix.size(0));
    panels = laid == null ? null : laid.ones();
    var pairs = laid == null ? null : laid.pairs();
    paired = pairs == null ? null : new PairedProduct(pairs, in, out);
  }

  /// Whether so many rows are multiplied here.
  public boolean takes(long rows) {
    return rows == 1 || paired != null || (panels != null && rows <= MOST);
  }

  /// How many rows must lie where so many are multiplied, with anything in the rest.
  public long padded(int rows) {
    return rows == 1 || (paired == null && takes(rows)) ? rows : Brgemm.padded(rows);
  }

  /// Whether a product is of one row by a matrix as it lies, with no gradient to record.
  ///
  /// @param row (…, in)
  /// @param matrix (out, in)
  public static boolean fits(Tensor row, Tensor matrix) {
    return row.numel() == row.size(-1)
        && matrix.is_contiguous()
        && row.is_contiguous()
        && !row.requires_grad()
        && !matrix.requires_grad();
  }

  /// The product of one row, on the device's thread; summed in float32.
  ///
  /// @param row (…, in)
  /// @param matrix (out, in), of the same type
  /// @param bias (out), which is added before the sum is rounded; null for none
  /// @param more (1, out), the same
  /// @return (…, out)
  public static Tensor of(Tensor row, Tensor matrix, @Nullable Tensor bias, @Nullable Tensor more) {
    var by = new RowProduct(matrix, null);
    var shape = row.sizes().vec().get();
    shape[shape.length - 1] = by.out;
    var product = torch.empty(shape, Dtype.of(matrix).options(), null);
    by.times(Rows.at(row), 1, Rows.orNone(bias), Rows.orNone(more), Rows.at(product));
    return product;
  }

  /// The product of some rows, which are copied where more must lie; summed in float32.
  ///
  /// @param rows (…, in), contiguous
  /// @param bias (out), which is added before a sum is rounded; null for none
  /// @param more (rows, out), the same; it becomes the product
  /// @return (…, out)
  public Tensor of(Tensor rows, @Nullable Tensor bias, @Nullable Tensor more) {
    var shape = rows.sizes().vec().get();
    shape[shape.length - 1] = out;
    int several = Math.toIntExact(rows.numel() / in);
    var options = Dtype.of(rows).options();
    var all = rows;
    if (padded(several) > several) {
      all = torch.zeros(new long[] {padded(several), in}, options);
      all.narrow(0, 0, several).copy_(rows.view(several, in));
    }
    var product = more == null ? torch.empty(shape, options, null) : more.view(shape);
    times(Rows.at(all), several, Rows.orNone(bias), Rows.orNone(more), Rows.at(product));
    return product;
  }

  /// The product of rows that follow each other, on the device's thread; summed in float32.
  ///
  /// @param rows where they lie: (several, in), with what [#padded] asks for
  /// @param bias where a row is that is added to each before it is rounded: (out); 0 for none
  /// @param more where rows are that are added, too: (several, out); 0 for none
  /// @param product where it goes: (several, out)
  public void times(long rows, int several, long bias, long more, long product) {
    times(rows, several, new Target(numbers, out, bias, more, product));
  }

  /// The same with what adapters are to make of the rows, at the same time.
  ///
  /// @param making of the rows; it becomes a part of their sums
  public void times(long rows, int several, long bias, Making making, long product) {
    times(rows, several, new Target(numbers, out, bias, making.outputs(), making, product));
  }

  private void times(long rows, int several, Target to) {
    int blocks = Math.ceilDiv(out, BLOCK);
    long work = (long) several * in * out;
    if (paired != null && several > 1) {
      run(to, blocks, work, block -> paired.times(rows, several, block * BLOCK, BLOCK, to));
    } else if (panels == null) {
      run(to, blocks, work, block -> dots(rows, several, block * BLOCK, to));
    } else if (several == 1) {
      var row = new float[in];
      numbers.read(rows, row, in);
      run(to, blocks, work, block -> row(panels, row, block * BLOCK, to));
    } else {
      var laid = ROOM.get().rows.lay(numbers, rows, several, in);
      run(to, blocks, work, block -> tiles(panels, laid, several, block * BLOCK, to));
    }
  }

  /// Shares of what adapters make come first: whoever has done with them goes on with blocks, whose
  /// sums wait for the last one.
  private static void run(Target to, int blocks, long work, IntConsumer block) {
    var making = to.making();
    if (making == null) {
      Crew.device().run(blocks, work, block);
      return;
    }
    int shares = making.shares();
    Crew.device()
        .run(
            shares + blocks,
            work + making.work(),
            job -> {
              if (job < shares) making.make(job);
              else block.accept(job - shares);
            });
  }

  /// What [WarmUp] has compiled of it.
  ///
  /// @param some where there are zeros to read and to write, a thousand at least
  static void exercise(Numbers numbers, long some, int times) {
    int length = LANES / 2;
    var row = new float[length];
    var room = new Room();
    for (int i = 0; i < times; i++) {
      numbers.row(row, 0, length, some, 0, room.sums, 0);
      Tiles.add(room.sums, BLOCK);
      numbers.add(some, room.sums, 0, Tiles.COLUMNS);
      numbers.put(room.sums, 0, Tiles.COLUMNS, some);
    }
    for (int i = 0; i < times; i++) {
      var laid = room.rows.lay(numbers, some, Tiles.ROWS + Tiles.FEW, 2 * LANES);
      long panel = numbers.wide(some, length, room.panels(1, length));
      if (Numbers.WIDE) Tiles.multiply(laid, 0, panel, length, room.sums);
      numbers.four(laid, 0, length, some, 0, room.sums, 0);
    }
  }

  private void dots(long rows, int several, int first, Target to) {
    int count = Math.min(BLOCK, out - first);
    long bytes = numbers.bytes();
    var sums = new float[count];
    for (int row = 0; row < several; row++) {
      numbers.dots(matrix + bytes * first * in, count, rows + bytes * row * in, in, sums, 0);
      to.putInOrder(sums, count, row, first);
    }
  }

  private void row(Panels panels, float[] row, int first, Target to) {
    var sums = ROOM.get().sums;
    for (int from = 0; from < in; from += Tiles.SEGMENT) {
      int count = Math.min(Tiles.SEGMENT, in - from);
      int place = from == 0 ? 0 : BLOCK;
      numbers.row(row, from, count, panels.at(first, from), panels.apart(), sums, place);
      if (from > 0) Tiles.add(sums, BLOCK);
    }
    for (int i = 0; i < BLOCK; i += Tiles.COLUMNS) to.put(sums, i, 0, first + i);
  }

  /// Tiles of twelve rows by one panel after the other, where registers are many, and of four by
  /// two.
  private void tiles(Panels panels, float[] laid, int several, int first, Target to) {
    var room = ROOM.get();
    int twelves = Numbers.WIDE ? several / Tiles.ROWS * Tiles.ROWS : 0;
    for (int i = first; i < first + BLOCK && i < out && twelves > 0; i += Tiles.COLUMNS) {
      long panel = numbers.wide(panels.at(i, 0), in, room.panels(1, in));
      for (int row = 0; row < twelves; row += Tiles.ROWS) {
        Tiles.multiply(laid, row * in, panel, in, room.sums);
        for (int j = 0; j < Tiles.ROWS; j++) to.put(room.sums, j * Tiles.COLUMNS, row + j, i);
      }
    }
    for (int i = first; i < first + BLOCK && i < out && twelves < several; i += PAIR) {
      var pair = pair(panels, i, several - twelves, room);
      for (int row = twelves; row < several; row += Tiles.FEW) {
        pair.multiply(laid, row * in, in, room.sums);
        for (int j = 0; j < Math.min(Tiles.FEW, several - row); j++) {
          to.put(room.sums, j * PAIR, row + j, i);
          to.put(room.sums, j * PAIR + Tiles.COLUMNS, row + j, i + Tiles.COLUMNS);
        }
      }
    }
  }

  /// Two panels that follow each other.
  ///
  /// @param numbers what they hold
  /// @param apart bytes from the one to the other
  private record Pair(Numbers numbers, long at, long apart) {
    /// Multiplies a tile of four rows.
    void multiply(float[] laid, int tile, int length, float[] sums) {
      int size = Tiles.FEW * PAIR;
      long width = (long) Tiles.COLUMNS * numbers.bytes();
      for (int from = 0; from < length; from += Tiles.SEGMENT) {
        int count = Math.min(Tiles.SEGMENT, length - from);
        int to = from == 0 ? 0 : size;
        numbers.four(laid, tile + Tiles.FEW * from, count, at + width * from, apart, sums, to);
        if (from > 0) Tiles.add(sums, size);
      }
    }
  }

  /// @param rows that will be multiplied: for many, where registers are few, it is widened once
  private Pair pair(Panels panels, int first, int rows, Room room) {
    if (Numbers.WIDE || rows < MANY) {
      return new Pair(numbers, panels.at(first, 0), panels.apart());
    }
    long next = Tiles.WIDTH * in;
    long to = room.panels(2, in);
    long one = numbers.wide(panels.at(first, 0), in, to);
    long other = numbers.wide(panels.at(first + Tiles.COLUMNS, 0), in, to + next);
    return new Pair(Float32.NUMBERS, one, other - one);
  }
}
