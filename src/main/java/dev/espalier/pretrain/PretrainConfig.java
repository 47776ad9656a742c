package dev.espalier.pretrain;

import dev.espalier.model.ModelShape;
import dev.espalier.model.RopeScaling;

/// The recipe's dials.
///
/// @param steps optimiser steps of the whole run
/// @param rows rows of a step
/// @param length tokens of a row
/// @param muonRate the peak learning rate of hidden matrices
/// @param adamRate the peak learning rate of embeddings and norms
/// @param decay the last part of the run, in which the learning rate falls
record PretrainConfig(
    int steps,
    int rows,
    int length,
    double muonRate,
    double adamRate,
    double decay,
    int checkpointEvery,
    long seed) {

  /// The learning rate falls over the last three fifths of a run.
  static PretrainConfig standard(int steps, double rate, long seed) {
    return new PretrainConfig(steps, 2, 4096, rate, rate / 2, 0.6, 50, seed);
  }

  /// The built-in model: Qwen3's architecture, 5.8 million parameters.
  static ModelShape shape(int vocabulary) {
    return new ModelShape(
        "qwen3",
        6,
        256,
        4,
        2,
        64,
        768,
        vocabulary,
        true,
        false,
        true,
        1e-6,
        1e4,
        new RopeScaling.None(),
        2048);
  }
}
