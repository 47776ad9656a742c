package dev.espalier.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class StartAttentionTest {
  private static final int HEAD = 1; // of two
  private static final int OWN = 5; // positions of each query's own

  /// What each query makes of the start and its own positions, alone and with the others.
  @ParameterizedTest
  @CsvSource({
    "F32,1,64,64,1e-5",
    "F32,9,77,64,1e-5",
    "F32,0,500,64,1e-5",
    "F32,0,96,128,1e-5",
    "BF16,9,77,64,0.02",
    "BF16,0,500,64,0.02"
  })
  void isWhatEachMakesAlone(Dtype dtype, int some, int positions, int headDim, float most) {
    int count = some == 0 ? StartAttention.MOST : some;
    var rows = new Rows(dtype);
    var random = new Random(7);
    try (var arena = Arena.ofConfined()) {
      var start = keyValues(arena, rows, random, positions, headDim);
      var queries = new long[count];
      var together = new long[count];
      long alone = numbers(arena, rows, random, headDim);
      for (int i = 0; i < count; i++) {
        queries[i] = numbers(arena, rows, random, headDim);
        together[i] = numbers(arena, rows, random, headDim);
      }
      var scores = new float[count];
      new StartAttention(dtype, headDim).attend(queries, start, HEAD, together, scores);
      var expected = new float[headDim];
      var made = new float[headDim];
      for (int i = 0; i < count; i++) {
        var own = keyValues(arena, rows, random, OWN, headDim);
        rows.attend(queries[i], headDim, List.of(start, own), HEAD, alone);
        rows.attend(queries[i], headDim, own, HEAD, scores[i], together[i]);
        rows.read(alone, expected);
        rows.read(together[i], made);
        assertThat(made).as("query %d", i).containsExactly(expected, within(most));
      }
    }
  }

  @Test
  void paysForManyQueriesAndALongStart() {
    var attention = new StartAttention(Dtype.F32, 64);
    assertThat(attention.pays(StartAttention.MOST, 512)).isEqualTo(Tiles.HERE);
    assertThat(attention.pays(1, 512)).isFalse();
    assertThat(attention.pays(StartAttention.MOST, 3)).isFalse();
    assertThat(new StartAttention(Dtype.F32, 20).pays(StartAttention.MOST, 512)).isFalse();
  }

  private static KeyValues keyValues(
      Arena arena, Rows rows, Random random, int length, int headDim) {
    int each = length * headDim;
    return new KeyValues(
        numbers(arena, rows, random, 2 * each),
        numbers(arena, rows, random, 2 * each),
        rows.after(0, each),
        length);
  }

  private static long numbers(Arena arena, Rows rows, Random random, int count) {
    var some = new float[count];
    for (int i = 0; i < count; i++) some[i] = (float) random.nextGaussian();
    long at = arena.allocate(rows.after(0, count), 64).address();
    rows.write(some, at);
    return at;
  }
}
