package dev.espalier.cli;

import dev.espalier.chat.Json;
import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Runs a command of Espalier as a process of its own that is killed at a step.
public final class Killed {
  private Killed() {}

  /// The command line of Espalier as a process of its own.
  ///
  /// @param heap Java's option for it
  /// @param arguments of Espalier; `--json` is added
  public static List<String> command(String heap, List<String> arguments) {
    var command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow()));
    command.addAll(
        List.of(
            heap, "--enable-native-access=ALL-UNNAMED", "--add-modules", "jdk.incubator.vector"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(arguments);
    command.add("--json");
    return command;
  }

  /// Runs the command to its end, or until it has reported so many steps.
  ///
  /// @param arguments of Espalier; `--json` is added
  /// @param log takes its standard error
  /// @return its exit status: 137 if it was killed
  static int after(int steps, Path log, List<String> arguments) throws Exception {
    var command = command("-Xmx1g", arguments);
    var process = new ProcessBuilder(command).redirectError(log.toFile()).start();
    int seen = 0;
    try (var lines = new BufferedReader(process.inputReader())) {
      for (var line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!Json.parse(line).path("event").asString().equals("step")) continue;
        if (++seen == steps) process.toHandle().destroyForcibly(); // SIGKILL
      }
    }
    return process.waitFor();
  }

  /// Runs the command to its end.
  static int never(Path log, List<String> arguments) throws Exception {
    return after(Integer.MAX_VALUE, log, arguments);
  }
}
