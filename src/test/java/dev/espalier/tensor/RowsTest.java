package dev.espalier.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class RowsTest {
  private static final int LENGTH = 100; // fills registers, and does not fill the last
  private static final int POSITIONS = 70;
  private static final int WARM = 8_000;

  /// A run that is repeated ends with the same bits, whatever the compiler has done by then.
  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16"})
  void interpretedAndCompiledGiveTheSameBits(Dtype dtype) throws Exception {
    var process =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-Xint",
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                RowsTest.class.getName(),
                dtype.name())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    var interpreted = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    int compiled = 0;
    for (int i = 0; i < WARM; i++) compiled = bits(dtype);
    assertThat(interpreted.strip()).isEqualTo(Integer.toString(compiled));
  }

  @Test
  void bfloat16IsTheNearestAsLibtorchHasIt() {
    var numbers = new float[LENGTH];
    var random = new Random(5);
    for (int i = 0; i < LENGTH; i++) numbers[i] = (float) random.nextGaussian();
    numbers[0] = Float.NaN;
    numbers[1] = Float.intBitsToFloat(0x7FFFFFFF); // not a number either, and rounds up to zero
    numbers[2] = Float.NEGATIVE_INFINITY;
    numbers[3] = Float.MAX_VALUE; // the nearest is infinite
    numbers[4] = Float.intBitsToFloat(0x3F808000); // in the middle: the even one is below
    numbers[5] = Float.intBitsToFloat(0x3F818000); // above
    numbers[LENGTH - 1] = Float.NaN; // does not fill a register
    var rows = new Rows(Dtype.BF16);
    var read = new float[LENGTH];
    try (var scope = new Scope();
        var arena = Arena.ofConfined()) {
      long at = arena.allocate(2L * LENGTH).address();
      rows.write(numbers, at);
      rows.read(at, read);
      var expected = new float[LENGTH];
      var rounded = torch.tensor(numbers).to(Dtype.BF16.scalar()).to(Dtype.F32.scalar());
      rounded.data_ptr_float().get(expected);
      rows.round(numbers);
      assertThat(read).isEqualTo(expected);
      assertThat(numbers).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32"})
  void gatesAreSiluTimesUp(Dtype dtype) {
    var from = new float[2 * LENGTH];
    for (int i = 0; i < LENGTH; i++) {
      from[i] = (i - LENGTH / 2) * 2; // beyond where e to its power is a float
      from[LENGTH + i] = 1;
    }
    var to = new float[LENGTH];
    try (var arena = Arena.ofConfined()) {
      var rows = new Rows(dtype);
      long at = arena.allocate(2L * LENGTH * Float.BYTES).address();
      rows.write(from, at);
      rows.gate(at, at, LENGTH);
      rows.read(at, to);
    }
    for (int i = 0; i < LENGTH; i++) {
      double expected = from[i] / (1 + Math.exp(-from[i]));
      assertThat((double) to[i]).isCloseTo(expected, within(1e-6 * Math.abs(expected) + 1e-30));
    }
  }

  /// Called by a process of its own.
  public static void main(String[] arguments) {
    System.out.println(bits(Dtype.valueOf(arguments[0])));
  }

  /// A hash of what all loops make of the same random numbers.
  private static int bits(Dtype dtype) {
    var random = new Random(3);
    var numbers = new float[LENGTH * POSITIONS];
    for (int i = 0; i < numbers.length; i++) numbers[i] = (float) random.nextGaussian();
    var row = new float[LENGTH];
    try (var arena = Arena.ofConfined()) {
      var rows = new Rows(dtype);
      long at = arena.allocate((long) numbers.length * dtype.bytes()).address();
      long out = arena.allocate((long) LENGTH * dtype.bytes()).address();
      rows.write(numbers, at);
      rows.attend(at, LENGTH, List.of(new KeyValues(at, at, 0, POSITIONS)), 0, out);
      rows.read(out, row);
      int hash = Arrays.hashCode(row);
      rows.gate(at, out, LENGTH);
      rows.add(out, row);
      Rows.norm(row, row, 1e-6, row);
      hash = 31 * hash + Arrays.hashCode(row);
      var other = Arrays.copyOf(numbers, LENGTH);
      var gradient = Arrays.copyOfRange(numbers, LENGTH, 2 * LENGTH);
      RowGradients.gate(row, other, gradient);
      RowGradients.norm(row, 0, other, 1e-6, gradient);
      RowGradients.rotate(gradient, 0, row, other);
      Rows.rotate(gradient, 0, row, other);
      return 31 * hash + Arrays.hashCode(gradient);
    }
  }
}
