package dev.espalier.cli;

import dev.espalier.dataset.ExampleFile;
import dev.espalier.dataset.Turns;
import dev.espalier.eval.Comparison;
import dev.espalier.eval.Evaluate;
import dev.espalier.eval.EvaluateConfig;
import dev.espalier.eval.Grade;
import dev.espalier.eval.Report;
import dev.espalier.eval.Scored;
import dev.espalier.store.Example;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `espalier eval`: a model or adapter on held-out examples, alone or against another one.
@Command(
    name = "eval",
    description = "Measures a model or adapter on held-out examples.",
    mixinStandardHelpOptions = true)
final class EvalCommand implements Callable<Integer> {
  private static final String BASE = "base";

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--model",
      description = "A model folder, or with --url the model's name (default: built in).")
  private @Nullable String model;

  @Option(names = "--adapter", description = "An adapter of the model (default: none).")
  private @Nullable String adapter;

  @Option(
      names = "--against",
      description =
          "Another adapter, \"base\" or a model's folder to compare with (with --url another model's"
              + " name).")
  private @Nullable String against;

  @Option(
      names = "--url",
      description =
          "An OpenAI-compatible server, such as http://127.0.0.1:7700/v1; its key is "
              + "taken from OPENAI_API_KEY.")
  private @Nullable URI url;

  @Option(
      names = "--on",
      required = true,
      description = "Held-out examples in OpenAI's fine-tuning format.")
  private Path on = Path.of("");

  @Option(
      names = "--all-turns",
      description = "Score every assistant message of a line whose weight is not 0, not its last.")
  private boolean allTurns;

  @Option(names = "--skip-bad", description = "Leave bad lines out and count them.")
  private boolean skipBad;

  @Option(names = "--concurrency", description = "Requests at once (default: ${DEFAULT-VALUE}).")
  private int concurrency = 16;

  @Option(names = "--max-tokens", description = "Tokens of an answer (default: ${DEFAULT-VALUE}).")
  private int maxTokens = 512;

  @Option(names = "--seed", description = "Of the intervals (default: ${DEFAULT-VALUE}).")
  private long seed = 1;

  @Option(names = "--details", description = "Write every turn and its grade to this JSONL file.")
  private @Nullable Path details;

  @Option(names = "--data", description = "The data folder (default: ${DEFAULT-VALUE}).")
  private Path data = Path.of("espalier-data");

  @Option(names = "--json", description = "One JSON object on standard output.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    if (url != null && model == null) {
      throw new IllegalArgumentException("--url needs --model NAME, the model's name there");
    }
    if (url != null && adapter != null) {
      throw new IllegalArgumentException(
          "--adapter is for a local model: with --url name an adapter by --model");
    }
    if (details != null) OutputFile.check("--details", details);
    var turns = allTurns ? Turns.ALL : Turns.LAST;
    var read = ExampleFile.read(on, turns, skipBad);
    if (!read.bad().isEmpty()) {
      err()
          .printf(
              "espalier: left out %d bad lines, the first: %s%n",
              read.bad().size(), read.bad().getFirst());
    }
    if (against != null && isAdapter(against)) OpenModel.adapterFolder(against, data);
    var report = report(first(), read.examples());
    if (details != null) {
      var lines = report.turns().stream().map(turn -> turn.toJson().toString()).toList();
      Files.write(details, lines);
    }
    Comparison comparison = null;
    try {
      if (against != null) {
        comparison = Comparison.of(report, report(against, read.examples()), seed);
      }
    } finally {
      show(report, comparison); // what was measured is not lost with what could not be
    }
    return 0;
  }

  private String first() {
    if (url != null && model != null) return model;
    return adapter == null ? BASE : adapter;
  }

  /// Measures one model; a model that never answers is an error, not a score of nought.
  private Report report(String name, List<Example> examples) {
    var config = new EvaluateConfig(concurrency, maxTokens, name);
    try (var opened = open(name)) {
      var report = Evaluate.run(opened.model(), examples, config, progress(name, examples.size()));
      if (report.errors() == report.turns().size()) {
        throw new IllegalArgumentException("every request failed: " + report.firstError());
      }
      if (report.errors() > 0) {
        err()
            .printf(
                "espalier: %d of %d requests failed, the first: %s%n",
                report.errors(), report.turns().size(), report.firstError());
      }
      if (opened.unmatched().get() > 0) {
        err()
            .printf(
                "espalier: %d of %d requests lacked the static text that %s was trained without%n",
                opened.unmatched().get(), report.turns().size(), name);
      }
      return report;
    }
  }

  /// Counts graded turns.
  private Consumer<Scored> progress(String name, int total) {
    if (json) return turn -> {};
    var done = new AtomicInteger();
    var bar = new ProgressBar(name, err());
    return turn -> bar.show(done.incrementAndGet(), total, "");
  }

  private OpenModel open(String name) {
    if (url != null) return OpenModel.remote(url, name);
    var folder = model == null ? BuiltInModel.folder() : Path.of(model);
    if (isAdapter(name)) return OpenModel.adapter(folder, name, data, concurrency);
    return OpenModel.base(name.equals(BASE) ? folder : Path.of(name), concurrency);
  }

  private boolean isAdapter(String name) {
    return url == null && !name.equals(BASE) && !Files.exists(Path.of(name, "config.json"));
  }

  private void show(Report report, @Nullable Comparison comparison) {
    if (!json) {
      print(report, comparison);
      return;
    }
    var line = report.toJson();
    if (comparison != null) line.set("comparison", comparison.toJson());
    out().println(line);
  }

  private void print(Report report, @Nullable Comparison comparison) {
    var interval = report.exactInterval();
    if (interval == null) {
      out().println("no turn expects a tool call; --all-turns scores every answer of a line");
    } else {
      out()
          .printf(
              "tool calls  %.1f %% exact of %d (95 %%: %.1f to %.1f)%n",
              100 * report.exact(), report.n(), 100 * interval.low(), 100 * interval.high());
      report.calls().forEach((grade, count) -> print(grade, count));
    }
    if (report.textN() > 0) {
      out().printf("text        %.3f word F1 of %d%n", report.textF1(), report.textN());
      report.texts().forEach((grade, count) -> print(grade, count));
    }
    out()
        .printf(
            "latency     %.0f ms median, %.0f ms p95%n",
            1000 * report.latency(0.5), 1000 * report.latency(0.95));
    if (comparison == null) return;
    out()
        .printf(
            "against %s  %.1f %% exact; difference %+.1f points (95 %%: %+.1f to %+.1f)%n",
            against,
            100 * comparison.baseline(),
            100 * (comparison.exact() - comparison.baseline()),
            100 * comparison.difference().low(),
            100 * comparison.difference().high());
  }

  private void print(Grade grade, int count) {
    if (count > 0) out().printf("  %-16s %d%n", grade.wire(), count);
  }

  private PrintWriter out() {
    return commandSpec().commandLine().getOut();
  }

  private PrintWriter err() {
    return commandSpec().commandLine().getErr();
  }

  private CommandSpec commandSpec() {
    if (spec == null) throw new IllegalStateException("picocli has not set the command's spec");
    return spec;
  }
}
