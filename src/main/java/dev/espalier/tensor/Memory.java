package dev.espalier.tensor;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
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

  /// Bytes that this machine, or the container that this runs in, has.
  public static long total() {
    var system = ManagementFactory.getOperatingSystemMXBean();
    return system instanceof OperatingSystemMXBean linux ? linux.getTotalMemorySize() : 0;
  }

  /// Bytes for people.
  public static String size(long bytes) {
    return bytes >= 1L << 30
        ? "%.1f GB".formatted(bytes / (double) (1L << 30))
        : "%.0f MB".formatted(bytes / (double) (1L << 20));
  }
}
