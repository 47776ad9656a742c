package dev.espalier.tensor;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/// The memory of this machine.
public final class Memory {
  private Memory() {}

  /// Bytes that it can still give, as the kernel says, and the container that this runs in if there
  /// is one; the largest number where nobody says.
  public static long available() {
    long machine = Long.MAX_VALUE;
    long free = Long.MAX_VALUE;
    try {
      for (var line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        if (line.startsWith("MemTotal:")) machine = bytes(line);
        if (line.startsWith("MemAvailable:")) free = bytes(line);
      }
    } catch (IOException notLinux) {
      return Long.MAX_VALUE;
    }
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean linux
            && linux.getTotalMemorySize() < machine
        ? Math.min(free, linux.getFreeMemorySize())
        : free;
  }

  private static long bytes(String line) {
    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
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
