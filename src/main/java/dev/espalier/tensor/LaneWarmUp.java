package dev.espalier.tensor;

import dev.espalier.tensor.LaneAttention.Block;
import dev.espalier.tensor.LaneAttention.Head;
import java.lang.foreign.Arena;
import java.util.List;

/// What [WarmUp] has compiled of the loops over tokens side by side.
final class LaneWarmUp {
  private static final int SIZE = LaneTiles.ROWS; // features

  private LaneWarmUp() {}

  static void exercise(Dtype dtype, int times) {
    var numbers = Numbers.of(dtype);
    try (var arena = Arena.ofConfined()) {
      long weights = arena.allocate((long) SIZE * SIZE * numbers.bytes()).address();
      var matrix = new LaneMatrix(numbers, weights, SIZE, SIZE);
      var attention = new LaneAttention(SIZE);
      var together = new StartAttention(dtype, Lanes.PANEL);
      var query = new long[] {arena.allocate((long) Lanes.PANEL * Float.BYTES).address()};
      var start = new KeyValues(query[0], query[0], 0, 1);
      var score = new float[1];
      var x = lanes(arena, 2 * SIZE);
      var out = lanes(arena, SIZE);
      var softmax = lanes(arena, 2);
      long in = x.place(0, 0);
      long to = out.place(0, 0);
      var head = new Head(x, 0);
      var blocks = List.of(new Block(0, null));
      var norm = new float[SIZE];
      var block = new float[Lanes.PANEL * Lanes.PANEL];
      for (int i = 0; i < times; i++) {
        Lanes.turn(block);
        matrix.multiply(x, null, out);
        matrix.multiplyTransposed(x, out, out);
        LaneMath.norm(in, norm, 1, to);
        LaneMath.rotate(in, in, in, SIZE / 2, false, to);
        LaneMath.gate(in, SIZE, to);
        attention.forward(in, head, head, blocks, to, softmax.place(0, 0));
        together.attend(query, start, 0, query, score);
      }
    }
    if (Brgemm.here()) SplitProduct.exercise(times);
  }

  private static Lanes lanes(Arena arena, int features) {
    return new Lanes(arena.allocate(Lanes.ROW * features, 64).address(), 1, features);
  }
}
