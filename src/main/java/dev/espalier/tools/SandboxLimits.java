package dev.espalier.tools;

import java.time.Duration;

/// What executed code may use.
///
/// @param time of the processor, so that a busy machine takes nothing from it; the engine's start,
///   tens of milliseconds, counts too
/// @param memoryBytes the engine's whole memory, in pages of 64 KiB; it needs 1.3 MB for itself
/// @param outputBytes of what is printed, and as many again of a value or an error
public record SandboxLimits(Duration time, long memoryBytes, int outputBytes) {
  public static final SandboxLimits DEFAULT =
      new SandboxLimits(Duration.ofSeconds(5), 32L << 20, 8 << 10);

  private static final long LEAST_MEMORY = 2L << 20;
  private static final long MOST_MEMORY = 1L << 30;

  public SandboxLimits {
    if (!time.isPositive()) {
      throw new IllegalArgumentException("the time limit must be positive, not " + time);
    }
    if (memoryBytes < LEAST_MEMORY || memoryBytes > MOST_MEMORY) {
      throw new IllegalArgumentException(
          "the memory limit must lie between 2 MiB and 1 GiB, not " + memoryBytes + " bytes");
    }
    if (outputBytes < 1) {
      throw new IllegalArgumentException("the output limit must be positive, not " + outputBytes);
    }
  }
}
