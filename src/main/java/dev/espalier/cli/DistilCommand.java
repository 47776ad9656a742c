package dev.espalier.cli;

import dev.espalier.chat.Json;
import dev.espalier.dataset.CapturedExamples;
import dev.espalier.dataset.Dataset;
import dev.espalier.dataset.DatasetConfig;
import dev.espalier.dataset.DatasetException;
import dev.espalier.dataset.ExampleFile;
import dev.espalier.dataset.Turns;
import dev.espalier.distil.DistilConfig;
import dev.espalier.engine.BaseModel;
import dev.espalier.store.CaptureFilter;
import dev.espalier.store.Durability;
import dev.espalier.store.Example;
import dev.espalier.store.Store;
import dev.espalier.tensor.Memory;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ObjectNode;

/// `espalier distil`: an adapter from captured requests or a file of conversations.
@Command(
    name = "distil",
    description = "Trains an adapter on captured requests or an OpenAI chat JSONL file.",
    mixinStandardHelpOptions = true)
final class DistilCommand implements Callable<Integer> {
  @Option(names = "--model", description = "The base model's folder (default: the built-in one).")
  private Path model = BuiltInModel.folder();

  @Mixin private final DtypeOption dtype = new DtypeOption();

  @Option(names = "--from", description = "A JSONL file (default: the captured requests).")
  private @Nullable Path from;

  @Option(names = "--of", description = "Of captured requests: those for this model name.")
  private @Nullable String of;

  @Option(names = "--tag", description = "Of captured requests: those with this tag, NAME=VALUE.")
  private Map<String, String> tags = Map.of();

  @Option(names = "--last", description = "Of captured requests: those of the last, say, PT24H.")
  private @Nullable Duration last;

  @Option(names = "--min-score", description = "Of captured requests: with feedback of at least.")
  private @Nullable Double minScore;

  @Option(
      names = "--own-answers",
      description = "Of captured requests: those too that an adapter answered.")
  private boolean ownAnswers;

  @Option(names = "--prompt-version", description = "Of captured requests: with this prompt.")
  private @Nullable String promptVersion;

  @Option(names = "--name", required = true, description = "What clients will call the adapter.")
  private String name = "";

  @Option(names = "--rank", description = "The adapter's rank; 0 trains all weights.")
  private int rank = 16;

  @Option(names = "--lr", description = "The peak learning rate (default: by the model's width).")
  private @Nullable Double learningRate;

  @Option(names = "--epochs", description = "Passes over the examples (default: ${DEFAULT-VALUE}).")
  private int epochs = 6;

  @Option(names = "--batch", description = "Sequences of a step (default: ${DEFAULT-VALUE}).")
  private int batch = 8;

  @Option(names = "--validation", description = "Fraction held out (default: ${DEFAULT-VALUE}).")
  private double validation = 0.1;

  @Option(
      names = "--prune",
      description = "Static prompt text to remove: system, tools (system too) or none.")
  private String prune = "system";

  @Option(names = "--skip-bad", description = "Leave bad lines out and count them.")
  private boolean skipBad;

  @Option(names = "--seed", description = "The run's seed (default: ${DEFAULT-VALUE}).")
  private long seed = 1;

  @Option(names = "--data", description = "The data folder (default: ${DEFAULT-VALUE}).")
  private Path data = Path.of("espalier-data");

  @Option(names = "--json", description = "One JSON object a line on standard output.")
  private boolean json;

  @Override
  public Integer call() {
    Teaching.checkName(name, model);
    refuseForeign();
    var progress = new Progress(json);
    try (var store = store();
        var base = dtype.loadToTrain(model)) {
      Teaching.checkRank(base, rank);
      var config =
          new DistilConfig(
              rank,
              32,
              learningRate == null
                  ? DistilConfig.learningRate(base.shape().width(), rank > 0)
                  : learningRate,
              epochs,
              batch,
              seed);
      var dataset = dataset(base, store);
      progress.show(dataset.summary().toJson().put("event", "dataset"));
      var run = data.resolve("runs").resolve(name);
      var result = Teaching.train(base, dataset, config, run, progress::show);
      if (!config.full()) Teaching.keep(store, name, base, dataset, result);
      progress.show(result.toJson().put("event", "summary").put("name", name));
    }
    return 0;
  }

  /// Refuses what would be ignored.
  private void refuseForeign() {
    boolean captured = of != null || last != null || minScore != null || promptVersion != null;
    if (from != null && (captured || ownAnswers || !tags.isEmpty())) {
      throw new IllegalArgumentException(
          "--of, --tag, --last, --min-score, --own-answers and --prompt-version choose among"
              + " captured requests: not with --from");
    }
    if (from == null && skipBad) {
      throw new IllegalArgumentException(
          "--skip-bad is for the lines of a file: name it with --from");
    }
  }

  /// The store; captured requests are in one that is there already.
  private Store store() {
    return from == null ? Store.openExisting(data) : Store.open(data, Durability.PROCESS);
  }

  private Dataset dataset(BaseModel base, Store store) {
    var config = new DatasetConfig(validation, seed, true, pruning(), 0.95, base.shape().context());
    return Dataset.of(
        examples(store),
        config,
        conversation ->
            base.format().encode(conversation).stream().mapToInt(s -> s.length()).max().orElse(0));
  }

  private DatasetConfig.Prune pruning() {
    return switch (prune.toLowerCase(Locale.ROOT)) {
      case "none" -> DatasetConfig.Prune.NOTHING;
      case "system" -> DatasetConfig.Prune.SYSTEM;
      case "tools" -> DatasetConfig.Prune.SYSTEM_AND_TOOLS;
      default ->
          throw new IllegalArgumentException("--prune is system, tools or none, not " + prune);
    };
  }

  private List<Example> examples(Store store) {
    if (from != null) {
      var read = ExampleFile.read(from, Turns.ALL, skipBad);
      if (!read.bad().isEmpty()) {
        System.err.printf(
            "espalier: left out %d bad lines, the first: %s%n",
            read.bad().size(), read.bad().getFirst());
      }
      return read.examples();
    }
    var filter = CaptureFilter.answered();
    if (of != null) filter = filter.model(of);
    if (last != null) filter = filter.since(Instant.now().minus(last));
    if (minScore != null) filter = filter.minScore(minScore);
    if (promptVersion != null) filter = filter.promptVersion(promptVersion);
    for (var tag : tags.entrySet()) filter = filter.tag(tag.getKey(), tag.getValue());
    if (!ownAnswers) {
      long all = store.count(filter);
      filter = filter.upstream();
      long own = all - store.count(filter);
      if (own > 0) {
        System.err.printf(
            "espalier: left out %d requests that an adapter answered: --own-answers takes them%n",
            own);
      }
    }
    var read = CapturedExamples.read(store.captured(filter));
    read.left()
        .forEach((reason, count) ->
            System.err.printf("espalier: left out %d requests: %s%n", count, reason));
    if (read.examples().isEmpty()) {
      throw new DatasetException(
          "no captured request in %s meets these conditions: run `espalier up` and send some"
              .formatted(data));
    }
    return read.examples();
  }

  /// What a run says while it goes: JSON lines, or a line that renews itself on a terminal.
  static final class Progress {
    private final boolean json;
    private final ProgressBar bar =
        new ProgressBar("training", new PrintWriter(System.out, true, System.out.charset()));

    Progress(boolean json) {
      this.json = json;
    }

    void show(ObjectNode line) {
      if (json) {
        System.out.println(line);
        return;
      }
      switch (line.path("event").asString("")) {
        case "step" ->
            bar.show(
                line.path("step").asInt(),
                line.path("steps").asInt(),
                "loss %.4f".formatted(line.path("loss").asDouble()));
        case "plan" ->
            System.out.printf(
                "training %d parameters on %d sequences, %d tokens with loss, about %s of memory%s%s%n",
                line.path("parameters").asLong(),
                line.path("sequences").asLong(),
                line.path("trained_tokens").asLong(),
                Memory.size(line.path("memory").asLong()),
                line.path("activations").asString("").equals("recomputed")
                    ? ": there is no room for activations, which are recomputed"
                    : "",
                line.path("held_out").asInt() == 0 ? "; nothing was held out" : "");
        case "validation" ->
            System.out.printf("  validation loss %.4f%n", line.path("loss").asDouble());
        default -> System.out.println(Json.write(line));
      }
    }
  }
}
