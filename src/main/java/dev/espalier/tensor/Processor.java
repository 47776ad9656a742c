package dev.espalier.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/// What the processor is good at.
///
/// @param vendor as `/proc/cpuinfo` names it
/// @param flags its abilities
public record Processor(String vendor, Set<String> flags) {
  public Processor {
    flags = Set.copyOf(flags);
  }

  /// The one that this runs on; nothing is known of it where Linux does not tell.
  public static Processor here() {
    try {
      return parse(Files.readAllLines(Path.of("/proc/cpuinfo")));
    } catch (IOException e) {
      return new Processor("", Set.of());
    }
  }

  static Processor parse(List<String> cpuinfo) {
    return new Processor(field(cpuinfo, "vendor_id"), Set.of(field(cpuinfo, "flags").split(" ")));
  }

  private static String field(List<String> cpuinfo, String name) {
    return cpuinfo.stream()
        .filter(line -> line.startsWith(name) && line.contains(":"))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst()
        .orElse("");
  }

  /// Whether products of many bfloat16 rows are faster than those of float32: by tiles (AMX), or
  /// where the vector unit has as many pipes for both, as AMD's have since Zen 4. Intel's has one
  /// for bfloat16 and two for float32, and its products took 1.7 times as long (docs/LOG.md).
  public boolean multipliesBfloat16Faster() {
    return flags.contains("amx_bf16")
        || (flags.contains("avx512_bf16") && vendor.equals("AuthenticAMD"));
  }
}
