package dev.espalier.cli;

import dev.espalier.pretrain.Pretrain;
import dev.espalier.pretrain.SgdCalls;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ObjectNode;

/// `espalier pretrain`: the recipe that made the built-in model.
@Command(
    name = "pretrain",
    description = "Makes the built-in model anew; started again, it goes on where it was.",
    mixinStandardHelpOptions = true)
final class PretrainCommand implements Callable<Integer> {
  @Option(names = "--run", description = "The run's folder (default: ${DEFAULT-VALUE}).")
  private Path run = Path.of("espalier-data", "pretrain");

  @Option(
      names = "--from",
      description = "A model of this recipe whose weights and vocabulary a new run starts from.")
  private @Nullable Path from;

  @Option(names = "--sgd", description = "The folder of the SGD data (default: ${DEFAULT-VALUE}).")
  private Path sgd = Path.of("..", "shared", "data", "sgd");

  @Option(names = "--steps", description = "Steps of the whole run (default: ${DEFAULT-VALUE}).")
  private int steps = 2400;

  @Option(
      names = "--rate",
      description =
          "The peak learning rate of the hidden matrices (default: ${DEFAULT-VALUE}; with --from"
              + " a third of that, or what was learned is lost first).")
  private double rate = 6e-3;

  @Option(names = "--seed", description = "The run's seed (default: ${DEFAULT-VALUE}).")
  private long seed = 1;

  @Option(
      names = "--export-sgd",
      description =
          "Only write SGD's calls to this folder as JSONL: 300 to evaluate on, and those"
              + " of the services that the model never saw.")
  private @Nullable Path export;

  @Option(names = "--json", description = "One JSON object a step on standard output.")
  private boolean json;

  @Override
  public Integer call() {
    if (!Files.isDirectory(sgd)) {
      System.err.println("espalier: no SGD data at " + sgd + ": name its folder with --sgd");
      return 1;
    }
    if (export != null) {
      SgdCalls.export(sgd, export);
      return 0;
    }
    Pretrain.start(sgd, run, from, steps, rate, seed, this::show);
    return 0;
  }

  private void show(ObjectNode line) {
    if (json) {
      System.out.println(line);
      return;
    }
    if (!line.path("event").asString("").equals("step")) return;
    System.out.printf(
        "step %d of %d  loss %.3f  calls %.3f  text %.3f  %.0f tokens/s%n",
        line.path("step").asInt(),
        steps,
        line.path("loss").asDouble(),
        line.path("call_loss").asDouble(),
        line.path("text_loss").asDouble(),
        line.path("tokens_per_second").asDouble());
  }
}
