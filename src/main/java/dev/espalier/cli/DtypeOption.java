package dev.espalier.cli;

import dev.espalier.engine.BaseModel;
import dev.espalier.tensor.Dtype;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The type that a base model computes in: its weights', unless the processor multiplies another
/// faster.
final class DtypeOption {
  @Option(
      names = "--dtype",
      description =
          "bfloat16 or float32: what the base computes in (default: its weights' type, or float32 where this processor multiplies that faster).")
  private @Nullable String name;

  /// @throws IllegalArgumentException if there is no such type
  BaseModel load(Path model) {
    if (name == null) return BaseModel.loadToTrain(model);
    return BaseModel.load(
        model,
        switch (name.toLowerCase(Locale.ROOT)) {
          case "bfloat16" -> Dtype.BF16;
          case "float32" -> Dtype.F32;
          default ->
              throw new IllegalArgumentException("--dtype is bfloat16 or float32, not " + name);
        });
  }
}
