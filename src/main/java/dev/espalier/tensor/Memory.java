package dev.espalier.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The memory of this machine.
public final class Memory {
  private Memory() {}

  /// Bytes that it can still give, as the kernel says; the largest number where it does not.
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
