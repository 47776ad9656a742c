package dev.espalier.cli;

import dev.espalier.engine.BaseModel;
import dev.espalier.tensor.Dtype;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The type that a base model computes in.
final class DtypeOption {
  @Option(
      names = "--dtype",
      description =
          "bfloat16 or float32: what the base computes in (default: its weights' type; to train, float32 where that is faster).")
  private @Nullable String name;

  /// Opens a model to serve it.
  ///
  /// @throws IllegalArgumentException if there is no such type
  BaseModel load(Path model) {
    return name == null ? BaseModel.load(model) : BaseModel.load(model, named(name));
  }

  /// Opens a model to train on it.
  ///
  /// @throws IllegalArgumentException if there is no such type
  BaseModel loadToTrain(Path model) {
    return name == null ? BaseModel.loadToTrain(model) : BaseModel.load(model, named(name));
  }

  private static Dtype named(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "bfloat16" -> Dtype.BF16;
      case "float32" -> Dtype.F32;
      default -> throw new IllegalArgumentException("--dtype is bfloat16 or float32, not " + name);
    };
  }
}
