package dev.espalier.cli;

import dev.espalier.distil.DistilConfig;
import dev.espalier.store.Durability;
import dev.espalier.store.Store;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/// `espalier demo`: the main job end to end, on the built-in model.
@Command(
    name = "demo",
    description = "Captures an application's traffic, distils it, switches over, and reinforces.",
    mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {
  private static final int RANK = 16;
  private static final double ALPHA = 32;
  private static final int BATCH = 4;

  @Option(names = "--model", description = "The base model's folder (default: the built-in one).")
  private Path model = BuiltInModel.folder();

  @Mixin private final DtypeOption dtype = new DtypeOption();

  @Option(
      names = "--requests",
      description = "To capture, 400 at least (default: ${DEFAULT-VALUE}).")
  private int requests = 6400;

  @Option(names = "--epochs", description = "Passes over them (default: ${DEFAULT-VALUE}).")
  private int epochs = 2;

  @Option(names = "--lr", description = "The peak learning rate (default: by the model's width).")
  private @Nullable Double learningRate;

  @Option(names = "--seed", description = "The demo's seed (default: ${DEFAULT-VALUE}).")
  private long seed = 1;

  @Option(names = "--data", description = "The data folder (default: ${DEFAULT-VALUE}).")
  private Path data = Path.of("espalier-data");

  @Option(names = "--json", description = "One JSON object a line on standard output.")
  private boolean json;

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    if (spec == null) throw new IllegalStateException("picocli sets the spec");
    var out = spec.commandLine().getOut();
    var config = DemoConfig.of(data, requests, epochs, seed);
    try (var store = Store.open(data, Durability.PROCESS);
        var student = student(store)) {
      var distilling = new ProgressBar("distilling", out);
      var practising = new ProgressBar("practising", out);
      var result =
          new Demo(
                  config,
                  store,
                  student,
                  line -> show(out, line.has("reward") ? practising : distilling, line))
              .run();
      if (json) out.println(result.toJson());
      else out.print("\n" + result.table());
      out.flush();
    }
    return 0;
  }

  private DemoModel student(Store store) {
    var base = dtype.loadToTrain(model);
    double rate =
        learningRate == null ? DistilConfig.learningRate(base.shape().width(), true) : learningRate;
    var config = new DistilConfig(RANK, ALPHA, rate, epochs, BATCH, seed);
    return new DemoModel(base, store, data.resolve("runs"), config);
  }

  private void show(PrintWriter out, ProgressBar bar, ObjectNode line) {
    if (json) {
      out.println(line);
    } else if (line.path("event").asString("").equals("step")) {
      var measure = line.has("reward") ? "reward" : "loss";
      var note = String.format(Locale.ROOT, "%s %.4f", measure, line.path(measure).asDouble());
      bar.show(line.path("step").asInt(), line.path("steps").asInt(), note);
    } else {
      out.print(sentence(line));
    }
    out.flush();
  }

  /// What an event means to somebody who watches.
  private static String sentence(ObjectNode line) {
    return switch (line.path("event").asString("")) {
      case "captured" ->
          "%d requests of an OpenAI SDK client, %d captured%n"
              .formatted(line.path("requests").asLong(), line.path("captured").asLong());
      case "dataset" ->
          "%d examples to train on, %d tokens; %d tokens of static prompt pruned%n"
              .formatted(
                  line.path("train").asInt(),
                  line.path("train_tokens").asLong(),
                  line.path("pruned_tokens").asLong());
      case "switched" ->
          "\"%s\" is now answered by the adapter \"%s\"; the client is the same%n"
              .formatted(DemoConfig.MODEL, line.path("adapter").asString());
      case "practising" ->
          "\"%s\" learnt from %d requests; it practises in the office, by GRPO, to become \"%s\"%n"
              .formatted(DemoConfig.BEGINNER, line.path("requests").asInt(), DemoConfig.REINFORCED);
      case "evaluation" ->
          String.format(
              Locale.ROOT,
              "  step %d: %.3f of %d conversations end right%n",
              line.path("step").asInt(),
              line.path("success").asDouble(),
              line.path("n").asInt());
      case "measured" ->
          String.format(
              Locale.ROOT,
              "%-18s %.3f of %d calls exact%n",
              line.path("model").asString(),
              line.path("exact").asDouble(),
              line.path("n").asInt());
      default -> "";
    };
  }
}
