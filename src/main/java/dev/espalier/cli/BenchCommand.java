package dev.espalier.cli;

import dev.espalier.bench.Benchmark;
import dev.espalier.bench.Peers;
import dev.espalier.bench.Subject;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `espalier bench`: how fast it is here, as ratios to what the machine can do.
@Command(
    name = "bench",
    description = "Measures the engine and training against this machine's limits.",
    mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "BENCHMARK",
      description =
          "serve, adapters, prefix, train, constrained or gateway (default: all of them).")
  private List<String> names = List.of();

  @Option(
      names = "--size",
      description =
          "s, the built-in model, or m, random weights in the shape of Qwen3-0.6B (default:"
              + " ${DEFAULT-VALUE}).")
  private String size = "s";

  @Option(names = "--runs", description = "Medians are over so many (default: ${DEFAULT-VALUE}).")
  private int runs = 5;

  @Option(
      names = "--peers",
      description = "What a script under bench/peers measured just before, to be compared with.")
  private @Nullable Path peers;

  @Option(names = "--json", description = "One JSON object a benchmark on standard output.")
  private boolean json;

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    if (spec == null) throw new IllegalStateException("picocli sets the spec");
    if (runs < 1) throw new IllegalArgumentException("--runs must be at least 1");
    var out = spec.commandLine().getOut();
    var chosen = Benchmark.chosen(names);
    var others = peers == null ? Peers.NONE : Peers.read(peers, size);
    try (var subject = Subject.of(size, BuiltInModel.folder())) {
      for (var name : chosen) {
        var result = Benchmark.run(name, subject, runs, others);
        if (json) {
          out.println(result);
        } else {
          out.println(name + " of size " + size);
          result.properties().stream()
              .filter(it -> it.getValue().isNumber())
              .forEach(it -> out.printf("  %-26s %s%n", it.getKey(), it.getValue()));
        }
        out.flush();
      }
    }
    return 0;
  }
}
