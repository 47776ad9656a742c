package dev.espalier.bench;

import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Products;
import dev.espalier.tensor.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// What this machine can do at best.
final class Machine {
  private static final long SIDE = 2048;
  private static final long WARM_UP = 3_000_000_000L; // nanoseconds in which Java compiles
  private static final double SLOW = 10; // seconds of what needs no median: a type without products
  private static final long NUMBERS = 1L << 28; // a gigabyte, well beyond any cache

  private Machine() {}

  /// Floating-point operations a second of a square matrix product.
  static double products(Dtype dtype, int runs) {
    return onDevice(() -> {
      var a = torch.randn(SIDE, SIDE).to(dtype.scalar());
      var b = torch.randn(SIDE, SIDE).to(dtype.scalar());
      return 2.0 * SIDE * SIDE * SIDE / seconds(runs, () -> Products.mm(a, b));
    });
  }

  /// Bytes a second that can be read from memory.
  static double bandwidth(int runs) {
    return onDevice(() -> {
      var numbers = torch.ones(new long[] {NUMBERS}, Dtype.F32.options());
      return 4.0 * NUMBERS / seconds(runs, numbers::sum);
    });
  }

  /// Does once, and again for some seconds, what will be measured.
  static void warmUp(Runnable work) {
    long begin = System.nanoTime();
    do {
      work.run();
    } while (System.nanoTime() - begin < WARM_UP);
  }

  private interface Work {
    Tensor run();
  }

  private static double onDevice(Supplier<Double> work) {
    return Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var noGrad = new NoGradGuard()) {
                return work.get();
              }
            });
  }

  private static double seconds(int runs, Work work) {
    double first = seconds(work);
    if (first > SLOW) return first;
    warmUp(() -> seconds(work));
    var times = new double[runs];
    for (int i = 0; i < runs; i++) times[i] = seconds(work);
    return median(times);
  }

  private static double seconds(Work work) {
    long begin = System.nanoTime();
    try (var scope = new Scope()) {
      work.run();
    }
    return (System.nanoTime() - begin) / 1e9;
  }

  /// The most memory that this process has had, in MiB.
  static long mostResident() {
    try {
      for (var line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", "")) >> 10;
      }
    } catch (IOException e) {
      throw new UncheckedIOException("only Linux says how much memory a process has", e);
    }
    throw new IllegalStateException("the kernel does not say how much memory this process had");
  }

  /// The one below which that part of all lies.
  static double percentile(List<Double> numbers, double part) {
    return percentile(numbers.stream().mapToDouble(it -> it).toArray(), part);
  }

  /// The one below which that part of all lies.
  static double percentile(double[] numbers, double part) {
    var sorted = numbers.clone();
    Arrays.sort(sorted);
    return sorted[(int) (part * (sorted.length - 1))];
  }

  /// The middle one; of an even number the larger of the two.
  static double median(double[] numbers) {
    var sorted = numbers.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
