package dev.espalier.cli;

import dev.espalier.chat.Json;
import dev.espalier.tools.McpSource;
import dev.espalier.tools.McpTaskMaker;
import dev.espalier.tools.McpTasks;
import dev.espalier.tools.McpTools;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `espalier tasks`: tasks for an MCP server, made up by a language model.
@Command(
    name = "tasks",
    description = "Has a model make up tasks for an MCP server's tools, to practise on with `rl`.",
    mixinStandardHelpOptions = true)
final class TasksCommand implements Callable<Integer> {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @Option(
      names = "--mcp",
      required = true,
      description = "The server's URL, or the command that starts it.")
  private String mcp = "";

  @Option(
      names = "--url",
      required = true,
      description = "The model's OpenAI-compatible address; its key is taken from OPENAI_API_KEY.")
  private URI url = URI.create("");

  @Option(names = "--model", required = true, description = "The model's name.")
  private String model = "";

  @Option(names = "--count", description = "Tasks to make (default: ${DEFAULT-VALUE}).")
  private int count = 60;

  @Option(names = "--held-out", description = "Of them, to evaluate on (default: a fifth).")
  private @Nullable Integer heldOut;

  @Option(names = "--out", required = true, description = "The JSONL file to write.")
  private Path out = Path.of("");

  @Option(names = "--seed", description = "Of model and split (default: ${DEFAULT-VALUE}).")
  private long seed = 1;

  @Option(names = "--json", description = "One JSON object on standard output.")
  private boolean json;

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    if (spec == null) throw new IllegalStateException("picocli sets the spec");
    OutputFile.check("--out", out);
    if (heldOut != null && (heldOut < 1 || heldOut >= count)) {
      throw new IllegalArgumentException(
          "--held-out %d: at least 1, and fewer than the %d of --count".formatted(heldOut, count));
    }
    try (var tools = McpTools.open(McpSource.of(mcp), PATIENCE);
        var asked = OpenModel.remote(url, model)) {
      var made = McpTaskMaker.generate(asked.model(), tools, count, seed);
      for (var dropped : made.dropped()) {
        spec.commandLine().getErr().println("espalier: left out: " + dropped);
      }
      if (made.tasks().size() < 2) {
        throw new IllegalArgumentException(
            "%s made %d tasks of the %d asked for: too few to practise on and hold out"
                .formatted(model, made.tasks().size(), count));
      }
      var tasks = McpTasks.split(made.tasks(), heldOut(made.tasks().size()), seed);
      tasks.write(out);
      var console = spec.commandLine().getOut();
      if (json) {
        console.println(
            Json.object()
                .put("event", "summary")
                .put("training", tasks.training().size())
                .put("held_out", tasks.heldOut().size())
                .put("dropped", made.dropped().size())
                .put("requests", made.requests()));
      } else {
        console.printf(
            "%d tasks to practise on and %d held out in %s; %d left out%n",
            tasks.training().size(), tasks.heldOut().size(), out, made.dropped().size());
      }
      console.flush();
    }
    return 0;
  }

  /// As many as were asked for, or all but one if too few were made: what was paid for is kept.
  private int heldOut(int made) {
    return heldOut == null ? Math.max(1, made / 5) : Math.min(heldOut, made - 1);
  }
}
