package dev.espalier.cli;

import dev.espalier.judge.Judge;
import dev.espalier.judge.Pairwise;
import dev.espalier.judge.Rubric;
import dev.espalier.judge.Ruler;
import dev.espalier.judge.RulerConfig;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Who judges attempts, and what the judge goes by.
final class JudgeOptions {
  private static final int RETRIES = 2;

  @Option(
      names = "--judge",
      description =
          "A judge behind an OpenAI-compatible URL; its key is taken from OPENAI_API_KEY.")
  private @Nullable URI judge;

  @Option(names = "--judge-model", description = "Its model name (default: ${DEFAULT-VALUE}).")
  private String model = "judge";

  @Option(names = "--rubric", description = "A file with what it goes by (default: RULER's).")
  private @Nullable Path rubric;

  @Option(
      names = "--judge-orders",
      description = "Shuffled orders that a group is shown in (default: ${DEFAULT-VALUE}).")
  private int orders = 1;

  @Option(names = "--pairwise", description = "Show it two attempts at a time.")
  private boolean pairwise;

  boolean named() {
    return judge != null;
  }

  /// @throws IllegalArgumentException if something is said about a judge that is not named
  void check() {
    if (judge == null && (rubric != null || pairwise || orders != 1)) {
      throw new IllegalArgumentException(
          "--rubric, --pairwise and --judge-orders are about a judge: name one with --judge");
    }
  }

  /// The judge, which must be named.
  Judge judge(long seed) {
    if (judge == null) throw new IllegalArgumentException("name a judge with --judge URL");
    if (pairwise && orders != 1) {
      throw new IllegalArgumentException("--pairwise shows every pair in both orders anyway");
    }
    var remote = OpenModel.remote(judge, model).model();
    return pairwise
        ? new Pairwise(remote, rubric(), RETRIES)
        : new Ruler(remote, rubric(), new RulerConfig(orders, RETRIES, seed));
  }

  private Rubric rubric() {
    if (rubric == null) return Rubric.RULER;
    try {
      var name = String.valueOf(rubric.getFileName()).replaceFirst("[.][^.]*$", "");
      return new Rubric(name, Files.readString(rubric).strip());
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot read the rubric " + rubric, e);
    }
  }

  /// All of it that a run depends on, in words; a judge must be named.
  String identity() {
    return "%s at %s under %s in %d orders%s"
        .formatted(model, judge, rubric().version(), orders, pairwise ? ", pairwise" : "");
  }
}
