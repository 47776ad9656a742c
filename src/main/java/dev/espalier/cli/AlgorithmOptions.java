package dev.espalier.cli;

import dev.espalier.rl.Algorithm;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How a policy learns: a preset, and what is to differ from it.
final class AlgorithmOptions {
  @Option(
      names = "--algorithm",
      description = "grpo, dr-grpo, dapo, gspo, cispo, rloo, reinforce++ or ppo (default: grpo).")
  private String preset = "grpo";

  @Option(
      names = "--updates",
      description = "Optimiser steps on each batch (default: the algorithm's).")
  private @Nullable Integer updates;

  @Option(
      names = "--beta",
      description = "The weight of the KL to the start in the loss (default: the algorithm's).")
  private @Nullable Double beta;

  @Option(
      names = "--entropy",
      description = "How much the policy's entropy counts, per nat a token (default: nothing).")
  private double entropy;

  /// @throws IllegalArgumentException if there is no such algorithm
  Algorithm algorithm() {
    var algorithm = Algorithm.preset(preset);
    if (updates != null) algorithm = algorithm.updating(updates);
    if (beta != null) algorithm = algorithm.near(beta);
    return algorithm.exploring(entropy);
  }
}
