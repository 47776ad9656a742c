package dev.espalier.cli;

import dev.espalier.chat.Sha256;
import dev.espalier.dataset.ExampleFile;
import dev.espalier.dataset.Turns;
import dev.espalier.env.Environments;
import dev.espalier.env.ExampleEnv;
import dev.espalier.env.MarinaEnv;
import dev.espalier.env.Realism;
import dev.espalier.env.Task;
import dev.espalier.env.Tasks;
import dev.espalier.store.Example;
import dev.espalier.tools.McpEnv;
import dev.espalier.tools.McpSource;
import dev.espalier.tools.McpTasks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;

/// The worlds there are.
final class Worlds {
  /// Of a request to an MCP server; below the time-out of an attempt's step.
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private Worlds() {}

  /// The harbour office.
  ///
  /// @param things what a task asks for, one after the other
  /// @param seed of the tasks to practise on
  /// @param heldOutSeed of the others
  static World portAlder(Realism realism, int things, long seed, long heldOutSeed, int heldOut) {
    return new World(
        "port-alder of %d things, %s, evaluated on %d of %d"
            .formatted(things, realism, heldOut, heldOutSeed),
        Environments.of(Map.of("port-alder", MarinaEnv.maker(realism))),
        true,
        number -> MarinaEnv.task("captured", seed, number, things),
        LongStream.range(0, heldOut)
            .mapToObj(number -> MarinaEnv.task("held-out", heldOutSeed, number, things))
            .toList());
  }

  /// Recorded turns: every answer of a file is a task, in an order of the seed's that begins anew
  /// when all were taken.
  ///
  /// @param on the file to be evaluated on, its first turns
  static World examples(Path tasks, Path on, long seed, int heldOut) {
    var practised = new ArrayList<>(ExampleFile.read(tasks, Turns.ALL, false).examples());
    Collections.shuffle(practised, new Random(seed));
    var evaluated = ExampleFile.read(on, Turns.ALL, false).examples();
    return new World(
        "examples of %s, evaluated on %d of %s".formatted(digest(tasks), heldOut, digest(on)),
        Environments.of(Map.of(ExampleEnv.NAME, ExampleEnv.maker())),
        true,
        Tasks.cycling(practised.stream().map(Worlds::task).toList()),
        evaluated.stream().limit(heldOut).map(Worlds::task).toList());
  }

  /// Whatever an MCP server's tools are for.
  ///
  /// @param source how the server is reached
  /// @param file the tasks
  static World mcp(String source, Path file, int heldOut) {
    var tasks = McpTasks.read(file);
    if (tasks.heldOut().isEmpty()) {
      throw new IllegalArgumentException(
          file + " has no line with \"set\": \"held-out\" to be evaluated on");
    }
    var maker = McpEnv.maker(McpSource.of(source), PATIENCE);
    return new World(
        "tasks %s of the MCP server %s, evaluated on %d".formatted(digest(file), source, heldOut),
        Environments.of(Map.of(McpEnv.NAME, maker)),
        false,
        Tasks.cycling(tasks.training()),
        tasks.heldOut().stream().limit(heldOut).toList());
  }

  private static Task task(Example example) {
    var request = example.request();
    return ExampleEnv.task(
        example.source(), request.messages(), request.json().get("tools"), example.target());
  }

  /// Names a file by what it says, so that a run is not continued on other tasks.
  private static String digest(Path file) {
    try {
      return new Sha256().add(Files.readString(file)).hex().substring(0, 12);
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot read " + file, e);
    }
  }
}
