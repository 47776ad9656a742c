package dev.espalier.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Where a policy practises.
final class WorldOptions {
  private static final long HELD_OUT_SEED = 20_260_501;

  @Option(
      names = "--env",
      description =
          "port-alder, the demo's harbour office; examples, recorded turns to be answered as"
              + " recorded; or mcp, the tools of an MCP server (default: ${DEFAULT-VALUE}).")
  private String env = "port-alder";

  @Option(
      names = "--tasks",
      description =
          "Of examples: an OpenAI chat JSONL file to practise on, every answer a task; of mcp: what"
              + " `espalier tasks` wrote.")
  private @Nullable Path tasks;

  @Option(names = "--on", description = "Of examples: another such file to be evaluated on.")
  private @Nullable Path on;

  @Option(names = "--mcp", description = "An MCP server's URL, or the command that starts it.")
  private @Nullable String mcp;

  @Option(names = "--things", description = "What a task asks for (default: ${DEFAULT-VALUE}).")
  private int things = 1;

  @Mixin private final RealismOptions realism = new RealismOptions();

  @Option(names = "--held-out", description = "Tasks to evaluate on (default: ${DEFAULT-VALUE}).")
  private int heldOut = 200;

  /// @throws IllegalArgumentException if there is no such world
  World world(long seed) {
    if (heldOut < 1) throw new IllegalArgumentException("--held-out must be at least 1");
    return switch (env) {
      case "port-alder" -> {
        refuse(tasks != null || on != null || mcp != null, "--tasks, --on and --mcp");
        yield Worlds.portAlder(realism.realism(), things, seed, HELD_OUT_SEED, heldOut);
      }
      case "examples" -> {
        refuse(mcp != null, "--mcp");
        yield Worlds.examples(
            needed(tasks, "--tasks FILE to practise on"),
            needed(on, "--on FILE to be evaluated on"),
            seed,
            heldOut);
      }
      case "mcp" -> {
        refuse(on != null, "--on");
        yield Worlds.mcp(
            needed(mcp, "--mcp with the server's URL or command"),
            needed(tasks, "--tasks FILE, which `espalier tasks` makes"),
            heldOut);
      }
      default ->
          throw new IllegalArgumentException("--env is port-alder, examples or mcp, not " + env);
    };
  }

  private void refuse(boolean given, String options) {
    if (given) throw new IllegalArgumentException("%s: not for --env %s".formatted(options, env));
  }

  private <T> T needed(@Nullable T value, String what) {
    if (value == null) throw new IllegalArgumentException("--env %s needs %s".formatted(env, what));
    return value;
  }
}
