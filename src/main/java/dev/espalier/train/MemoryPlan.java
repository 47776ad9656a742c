package dev.espalier.train;

import dev.espalier.model.ModelShape;
import dev.espalier.tensor.Dtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What a training run will need at its peak, in bytes, so that it can be refused before it starts.
///
/// @param weights the base model
/// @param optimiser masters, gradients and moments of what is trained
/// @param activations what a micro-batch keeps for its backward pass
public record MemoryPlan(long weights, long optimiser, long activations) {
  /// Plans a run.
  ///
  /// @param trainable how many numbers are trained
  /// @param rows rows of a micro-batch
  /// @param length tokens of a row
  public static MemoryPlan of(ModelShape shape, Dtype dtype, long trainable, int rows, int length) {
    long tokens = (long) rows * length;
    long linear = 2L * (shape.heads() + 2L * shape.kvHeads()) * shape.headDim() + 4L * shape.ffn();
    long stream = 10L * shape.width(); // residuals and norms, float32
    long scores = 3L * shape.heads() * length / 2; // causal half, before and after the softmax
    long layer = tokens * (stream * 4 + (linear + scores) * dtype.bytes() + linear * 2L);
    long head = tokens * shape.vocabulary() * 3L * 4;
    return new MemoryPlan(
        shape.size() * dtype.bytes(), trainable * 16, layer * shape.layers() + head);
  }

  public long total() {
    return weights + optimiser + activations;
  }

  /// Refuses a run that does not fit.
  ///
  /// @param available bytes
  /// @throws TrainingException with the numbers and what to change
  public void check(long available) {
    if (total() <= available) return;
    throw new TrainingException(
        "the run needs about %s (weights %s, optimiser %s, activations %s) but only %s are free:"
                .formatted(
                    size(total()),
                    size(weights),
                    size(optimiser),
                    size(activations),
                    size(available))
            + " use shorter examples or a smaller model");
  }

  /// Bytes that this machine can still give, as the kernel says; the largest number where it does
  /// not.
  public static long available() {
    try {
      for (var line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        if (!line.startsWith("MemAvailable:")) continue;
        return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
      }
    } catch (IOException notLinux) {
      return Long.MAX_VALUE;
    }
    return Long.MAX_VALUE;
  }

  /// Bytes for people.
  public static String size(long bytes) {
    return bytes >= 1L << 30
        ? "%.1f GB".formatted(bytes / (double) (1L << 30))
        : "%.0f MB".formatted(bytes / (double) (1L << 20));
  }
}
