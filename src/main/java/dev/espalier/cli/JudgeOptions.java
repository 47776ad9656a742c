package dev.espalier.cli;

import dev.espalier.engine.BaseModel;
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
  private static final int SLOTS = 64; // pairs that an adapter reads together

  @Option(
      names = "--judge",
      description =
          "A judge behind an OpenAI-compatible URL; its key is taken from OPENAI_API_KEY.")
  private @Nullable URI judge;

  @Option(
      names = "--judge-adapter",
      description = "A judge that is an adapter of the same base: its name, or a PEFT folder.")
  private @Nullable String adapter;

  @Option(names = "--judge-model", description = "The model name of --judge (default: judge).")
  private @Nullable String model;

  @Option(names = "--rubric", description = "A file with what it goes by (default: RULER's).")
  private @Nullable Path rubric;

  @Option(
      names = "--judge-orders",
      description = "Shuffled orders that a group is shown in (default: ${DEFAULT-VALUE}).")
  private int orders = 1;

  @Option(names = "--pairwise", description = "Show it two attempts at a time.")
  private boolean pairwise;

  boolean named() {
    return judge != null || adapter != null;
  }

  /// @throws IllegalArgumentException if something is said about a judge that is not named
  void check() {
    if (judge != null && adapter != null) {
      throw new IllegalArgumentException("--judge and --judge-adapter are two judges: name one");
    }
    if (judge == null && model != null) {
      throw new IllegalArgumentException(
          "--judge-model is the model's name behind --judge URL, which is not given");
    }
    if (!named() && (rubric != null || pairwise || orders != 1)) {
      throw new IllegalArgumentException(
          "--rubric, --pairwise and --judge-orders are about a judge: name one with --judge or"
              + " --judge-adapter");
    }
    if (pairwise && orders != 1) {
      throw new IllegalArgumentException("--pairwise shows every pair in both orders anyway");
    }
  }

  /// The model that judges, which must be named.
  ///
  /// @param model the folder of the base that an adapter is loaded on
  /// @param data where adapters are known by name
  OpenModel open(Path model, Path data) {
    check();
    return adapter == null ? remote() : OpenModel.adapter(model, adapter, data, SLOTS);
  }

  /// The same on a base model that stays its owner's.
  OpenModel open(BaseModel base, Path data) {
    check();
    return adapter == null ? remote() : OpenModel.adapter(base, adapter, data, SLOTS);
  }

  private OpenModel remote() {
    if (judge != null) return OpenModel.remote(judge, model == null ? "judge" : model);
    throw new IllegalArgumentException("name a judge with --judge URL or --judge-adapter NAME");
  }

  /// What compares attempts with a model that was opened.
  Judge judge(OpenModel judging, long seed) {
    return pairwise
        ? new Pairwise(judging.model(), judging.name(), rubric(), RETRIES)
        : new Ruler(
            judging.model(), judging.name(), rubric(), new RulerConfig(orders, RETRIES, seed));
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

  /// All of it that a run depends on, in words.
  String identity(OpenModel judging) {
    return "%s under %s in %d orders%s"
        .formatted(judging.name(), rubric().version(), orders, pairwise ? ", pairwise" : "");
  }
}
