package dev.espalier.cli;

import dev.espalier.chat.HttpAddress;
import dev.espalier.env.Errands;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Where a policy practises.
final class WorldOptions {
  private static final long HELD_OUT_SEED = 20_260_501;
  private static final int AGENT_PORT = 7701;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration CODE_PATIENCE = Duration.ofHours(1);
  private static final Duration MCP_PATIENCE = Duration.ofSeconds(20); // with one request
  private static final Duration MCP_REST = Duration.ofSeconds(10); // of a step, beyond a request
  private static final Duration AGENT_PATIENCE = Duration.ofMinutes(5);

  @Option(
      names = "--env",
      description =
          "port-alder, the demo's harbour office; examples, recorded turns to be answered as"
              + " recorded; code, functions to write; mcp, the tools of an MCP server; or agents,"
              + " programs that drive themselves (default: ${DEFAULT-VALUE}).")
  private String env = "port-alder";

  @Option(
      names = "--tasks",
      description =
          "A JSONL file of tasks to practise on. Of examples: OpenAI chats, every answer a task; of"
              + " mcp: what `espalier tasks` wrote; of code: functions (default: small ones of our"
              + " own); of agents: objects that mean something to them.")
  private @Nullable Path tasks;

  @Option(names = "--on", description = "Another such file to be evaluated on; not of mcp.")
  private @Nullable Path on;

  @Option(names = "--mcp", description = "An MCP server's URL, or the command that starts it.")
  private @Nullable String mcp;

  @Option(
      names = "--agent-url",
      description = "Of agents: is called for every episode (default: agents ask for them).")
  private @Nullable URI agent;

  @Option(
      names = "--agent-port",
      description = "Of agents: where they find the policy (default: " + AGENT_PORT + ").")
  private @Nullable Integer agentPort;

  @Option(
      names = "--timeout",
      description =
          "Seconds that an environment may take for an answer (default: 30; for code, which has limits"
              + " of its own and waits for its turn, 3600), an MCP server for one request (default:"
              + " 20), or an agent between two turns (default: 300).")
  private @Nullable Integer timeout;

  @Option(names = "--things", description = "What a task asks for (default: ${DEFAULT-VALUE}).")
  private int things = 1;

  @Option(
      names = "--regulars",
      description =
          "So many vessels, people, berths, dates and numbers that all tasks are about (default: 0,"
              + " for others in every task).")
  private int regulars;

  @Option(
      names = "--errands",
      split = ",",
      description = "The tools that people come for, of port-alder (default: all).")
  private List<String> errands = List.of();

  @Mixin private final RealismOptions realism = new RealismOptions();

  @Option(names = "--held-out", description = "Tasks to evaluate on (default: ${DEFAULT-VALUE}).")
  private int heldOut = 200;

  /// @throws IllegalArgumentException if there is no such world
  ///
  /// @param atOnce episodes that an agent is called for at the same time
  /// @param tokens the bytes of a token
  World world(long seed, int atOnce, IntFunction<byte[]> tokens) {
    if (heldOut < 1) throw new IllegalArgumentException("--held-out must be at least 1");
    if (timeout != null && timeout < 1) {
      throw new IllegalArgumentException("--timeout must be at least 1");
    }
    refuse(
        (things != 1 || regulars > 0 || !errands.isEmpty() || realism.given())
            && !env.equals("port-alder"),
        "--things, --regulars, --errands and what makes people real");
    refuse(mcp != null && !env.equals("mcp"), "--mcp");
    refuse(
        (agent != null || agentPort != null) && !env.equals("agents"),
        "--agent-url and --agent-port");
    if (agent != null) HttpAddress.check(agent, "an agent");
    refuse((tasks != null || on != null) && env.equals("port-alder"), "--tasks and --on");
    refuse(on != null && env.equals("mcp"), "--on");
    return switch (env) {
      case "port-alder" ->
          Worlds.portAlder(
              realism.realism(),
              new Errands(things, regulars, errands),
              seed,
              HELD_OUT_SEED,
              heldOut);
      case "examples" ->
          Worlds.examples(
              needed(tasks, "--tasks FILE to practise on"),
              needed(on, "--on FILE to be evaluated on"),
              seed,
              heldOut);
      case "mcp" ->
          Worlds.mcp(
              needed(mcp, "--mcp with the server's URL or command"),
              needed(tasks, "--tasks FILE, which `espalier tasks` makes"),
              heldOut,
              given(MCP_PATIENCE));
      case "code" -> Worlds.code(tasks, on, seed, heldOut);
      case "agents" ->
          Worlds.agents(
              needed(tasks, "--tasks FILE to practise on"),
              needed(on, "--on FILE to be evaluated on"),
              heldOut,
              agentPort == null ? AGENT_PORT : agentPort,
              agent,
              atOnce,
              tokens);
      default ->
          throw new IllegalArgumentException(
              "--env is port-alder, examples, code, mcp or agents, not " + env);
    };
  }

  /// How long an environment may take for an answer, or an agent between two turns.
  Duration patience() {
    return switch (env) {
      case "agents" -> given(AGENT_PATIENCE);
      case "code" -> given(CODE_PATIENCE);
      // a request's own time-out says which tool was slow, so it is to come first
      case "mcp" -> given(MCP_PATIENCE).plus(MCP_REST);
      default -> given(PATIENCE);
    };
  }

  private Duration given(Duration otherwise) {
    return timeout == null ? otherwise : Duration.ofSeconds(timeout);
  }

  private void refuse(boolean given, String options) {
    if (given) throw new IllegalArgumentException("%s: not for --env %s".formatted(options, env));
  }

  private <T> T needed(@Nullable T value, String what) {
    if (value == null) throw new IllegalArgumentException("--env %s needs %s".formatted(env, what));
    return value;
  }
}
