package dev.espalier.tensor;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/// By [Brgemm], in bfloat16: what A makes of a row is rounded before B is multiplied with it.
final class BrgemmLowRank extends LowRank {
  private static final int COLUMNS = 1024; // of a product; with more it leaves the cache
  private static final Bfloat16 NUMBERS = Bfloat16.NUMBERS;
  private static final int BYTES = NUMBERS.bytes();

  private static final ThreadLocal<Room> ROOM = ThreadLocal.withInitial(Room::new);

  private final Tensor a; // (in / 2, R), of pairs
  private final long atA; // asking libtorch would take longer than some rows
  private final List<Panel> panels = new ArrayList<>();

  /// Some columns of a block on B's diagonal.
  ///
  /// @param laid (length / 2, width), of pairs
  /// @param length the block's rank, even
  private record Panel(Place place, Tensor laid, long at, int length, int width) {}

  /// A thread's.
  private static final class Room {
    final Scratch rows = new Scratch();
    final Scratch sums = new Scratch();
    final Scratch down = new Scratch();
  }

  BrgemmLowRank(List<Layer> layers) {
    super(layers);
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      a = scope.keep(Brgemm.pairs(stacked(layers)).t().contiguous());
      for (int i = 0; i < layers.size(); i++) {
        if (places.get(i).ranks() > 0) lay(scope, places.get(i), layers.get(i).b());
      }
    }
    atA = Rows.at(a);
  }

  private void lay(Scope scope, Place place, Tensor b) {
    for (var part : place.parts(COLUMNS)) {
      var matrix = b.narrow(0, part.column() - place.column(), part.outs());
      var filled = Panels.filledUp(matrix, Tiles.COLUMNS, 2);
      int width = Math.toIntExact(filled.size(0));
      var laid = scope.keep(Brgemm.panels(filled, width));
      panels.add(new Panel(part, laid, Rows.at(laid), Math.toIntExact(filled.size(1)), width));
    }
  }

  @Override
  public long bytes() {
    return a.nbytes() + panels.stream().mapToLong(panel -> panel.laid().nbytes()).sum();
  }

  @Override
  int together(int batch) {
    return Math.min(Brgemm.ROWS, Math.ceilDiv(batch, Crew.device().size()));
  }

  @Override
  void put(long inputs, long outputs, int[] rows) {
    var room = ROOM.get();
    int count = Brgemm.padded(rows.length);
    long some = room.rows.at((long) BYTES * count * in);
    long sums = room.sums.at((long) Float.BYTES * count * Math.max(rank, COLUMNS));
    long down = room.down.at((long) BYTES * (count * rank + 1)); // an odd rank reads one more
    for (int i = 0; i < rows.length; i++) {
      NUMBERS.copy(inputs + (long) BYTES * rows[i] * in, some + (long) BYTES * i * in, in);
      clearRest(outputs + (long) BYTES * rows[i] * out);
    }
    Brgemm.multiply(some, count, in, in, atA, rank, sums, rank, false);
    NUMBERS.narrow(sums, count * rank, down);
    for (var panel : panels) {
      var place = panel.place();
      long from = down + (long) BYTES * place.rank();
      int width = panel.width();
      Brgemm.multiply(from, count, rank, panel.length(), panel.at(), width, sums, width, false);
      for (int i = 0; i < rows.length; i++) {
        long to = outputs + BYTES * ((long) rows[i] * out + place.column());
        NUMBERS.put(sums + (long) Float.BYTES * i * width, place.outs(), to);
      }
    }
    Brgemm.release();
  }

  /// What [WarmUp] has compiled of it.
  static void exercise(int times) {
    try (var arena = Arena.ofConfined()) {
      long some = arena.allocate(Tiles.WIDTH * COLUMNS, 64).address();
      for (int i = 0; i < times; i++) {
        NUMBERS.narrow(some, COLUMNS, some);
        NUMBERS.add(some, COLUMNS, some);
        NUMBERS.put(some, COLUMNS, some);
      }
    }
  }

  @Override
  public void close() {
    a.close();
    panels.forEach(panel -> panel.laid().close());
  }
}
