package dev.espalier.cli;

import dev.espalier.chat.Sha256;
import dev.espalier.dataset.ExampleFile;
import dev.espalier.dataset.Turns;
import dev.espalier.env.AgentRollouts;
import dev.espalier.env.Episodes;
import dev.espalier.env.Errands;
import dev.espalier.env.ExampleEnv;
import dev.espalier.env.MarinaEnv;
import dev.espalier.env.Realism;
import dev.espalier.env.Task;
import dev.espalier.env.Tasks;
import dev.espalier.gateway.EpisodeServer;
import dev.espalier.gateway.EpisodeServerConfig;
import dev.espalier.gateway.Launcher;
import dev.espalier.store.Example;
import dev.espalier.tools.CodeEnv;
import dev.espalier.tools.CodePuzzles;
import dev.espalier.tools.CodeTasks;
import dev.espalier.tools.McpEnv;
import dev.espalier.tools.McpSource;
import dev.espalier.tools.McpTasks;
import dev.espalier.tools.SandboxLimits;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/// The worlds there are.
final class Worlds {
  /// How long to wait where no agent has an episode or asks for one.
  private static final Duration ABSENCE = Duration.ofMinutes(5);

  private static final String AGENTS = "agents";
  private static final long HELD_OUT_PUZZLES = 20_260_701;

  private Worlds() {}

  /// The harbour office.
  ///
  /// @param seed of the tasks to practise on
  /// @param heldOutSeed of the others
  static World portAlder(
      Realism realism, Errands errands, long seed, long heldOutSeed, int heldOut) {
    return World.of(
        "port-alder of %s, %s, evaluated on %d of %d"
            .formatted(errands, realism, heldOut, heldOutSeed),
        MarinaEnv.NAME,
        MarinaEnv.maker(realism),
        true,
        number -> MarinaEnv.task("captured", seed, number, errands),
        LongStream.range(0, heldOut)
            .mapToObj(number -> MarinaEnv.task("held-out", heldOutSeed, number, errands))
            .toList());
  }

  /// Recorded turns: every answer of a file is a task, in an order of the seed's that begins anew
  /// when all were taken.
  ///
  /// @param on the file to be evaluated on, its first turns
  static World examples(Path tasks, Path on, long seed, int heldOut) {
    var practised = asTasks(ExampleFile.read(tasks, Turns.ALL, false).examples());
    Collections.shuffle(practised, new Random(seed));
    var evaluated = ExampleFile.read(on, Turns.ALL, false).examples();
    return World.of(
        "examples of %s, evaluated on %d of %s".formatted(digest(tasks), heldOut, digest(on)),
        ExampleEnv.NAME,
        ExampleEnv.maker(),
        true,
        Tasks.cycling(practised),
        asTasks(evaluated.stream().limit(heldOut).toList()));
  }

  /// Whatever an MCP server's tools are for.
  ///
  /// @param source how the server is reached
  /// @param file the tasks
  /// @param patience with one request to it
  static World mcp(String source, Path file, int heldOut, Duration patience) {
    var tasks = McpTasks.read(file);
    if (tasks.heldOut().isEmpty()) {
      throw new IllegalArgumentException(
          file + " has no line with \"set\": \"held-out\" to be evaluated on");
    }
    return World.of(
        "tasks %s of the MCP server %s, evaluated on %d".formatted(digest(file), source, heldOut),
        McpEnv.NAME,
        McpEnv.maker(McpSource.of(source), patience),
        false,
        Tasks.cycling(tasks.training()),
        tasks.heldOut().stream().limit(heldOut).toList());
  }

  /// Functions to write, executed in the sandbox: small ones of our own, or those of files.
  static World code(@Nullable Path tasks, @Nullable Path on, long seed, int heldOut) {
    var practised =
        tasks == null ? CodePuzzles.practised(seed) : Tasks.cycling(CodeTasks.read(tasks).all());
    var evaluated =
        on == null
            ? LongStream.range(0, heldOut)
                .mapToObj(CodePuzzles.heldOut(HELD_OUT_PUZZLES)::at)
                .toList()
            : CodeTasks.read(on).all().stream().limit(heldOut).toList();
    return World.of(
        "code of %s, evaluated on %d of %s"
            .formatted(
                tasks == null ? "seed " + seed : digest(tasks),
                evaluated.size(),
                on == null ? "ours" : digest(on)),
        CodeEnv.NAME,
        CodeEnv.maker(SandboxLimits.DEFAULT),
        true,
        practised,
        evaluated);
  }

  /// What agents that drive themselves do; they find the policy at a port of this process.
  ///
  /// @param agent is called for every episode; null if agents ask for them
  /// @param tokens the bytes of a token
  static World agents(
      Path tasks,
      Path on,
      int heldOut,
      int port,
      @Nullable URI agent,
      int atOnce,
      IntFunction<byte[]> tokens) {
    var practised = TaskFile.read(tasks, AGENTS);
    var evaluated = TaskFile.read(on, AGENTS).stream().limit(heldOut).toList();
    var episodes = new Episodes();
    var server = EpisodeServer.start(EpisodeServerConfig.local(port), episodes, tokens);
    if (agent == null) System.err.println("espalier: waiting for agents at " + server.base());
    var launcher = agent == null ? null : Launcher.start(episodes, agent, server.base(), atOnce);
    return new World(
        "agents at %s, evaluated on %d of %s".formatted(digest(tasks), heldOut, digest(on)),
        config -> new AgentRollouts(episodes, config, ABSENCE),
        true,
        Tasks.cycling(practised),
        evaluated,
        () -> {
          if (launcher != null) launcher.close();
          server.close();
        });
  }

  /// Each has an id of its own: a file may give one source to several examples.
  private static List<Task> asTasks(List<Example> examples) {
    var ids = new HashSet<String>();
    var tasks = new ArrayList<Task>();
    for (var example : examples) {
      var id = example.source();
      for (int twin = 2; !ids.add(id); twin++) id = example.source() + "#" + twin;
      var request = example.request();
      tasks.add(
          ExampleEnv.task(id, request.messages(), request.json().get("tools"), example.target()));
    }
    return tasks;
  }

  /// Names a file by what it says, so that a run is not continued with another in its place.
  static String digest(Path file) {
    try {
      return new Sha256().add(Files.readAllBytes(file)).hex().substring(0, 12);
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot read " + file, e);
    }
  }
}
