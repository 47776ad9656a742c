package dev.espalier.train;

import dev.espalier.model.Activations;
import dev.espalier.model.BlockPass;
import dev.espalier.model.ModelShape;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Memory;

/// What a training run will need at its peak, in bytes, so that it can be refused before it starts.
///
/// @param tokens of the largest row that goes through the model at once
/// @param weights the base model
/// @param optimiser masters, gradients and moments of what is trained
/// @param activations what a row keeps for its backward pass
/// @param keeping which of them are kept: all, unless there is no room for them
public record MemoryPlan(
    int tokens, long weights, long optimiser, long activations, Activations keeping) {
  private static final int MOST_TOKENS = 4096;
  private static final long ENOUGH = 2L << 30;

  /// Plans a run: rows as long as products want them, shorter for large models, and never shorter
  /// than the longest sequence. They are the same however much memory there is, for what is
  /// recomputed has the same bits.
  ///
  /// @param trainable how many numbers are trained
  /// @param longest tokens of the longest sequence
  /// @param full whether every weight is trained, by libtorch's own backward pass
  /// @param available bytes
  /// @throws TrainingException with the numbers and what to change, if it does not fit
  public static MemoryPlan of(
      ModelShape shape, Dtype dtype, long trainable, int longest, boolean full, long available) {
    boolean lanes = !full && BlockPass.sideBySide(shape, dtype);
    int scored = lanes ? 0 : longest; // side by side, scores are made again for the way back
    int tokens = MOST_TOKENS;
    while (tokens / 2 >= longest && kept(shape, dtype, tokens, scored) > ENOUGH) tokens /= 2;
    tokens = Math.max(tokens, longest);
    long weights = shape.bytes(dtype);
    long optimiser = trainable * 16;
    long all = kept(shape, dtype, tokens, scored);
    var plan = new MemoryPlan(tokens, weights, optimiser, all, Activations.KEPT);
    if (!full && plan.total() > available) {
      long some = recomputed(shape, dtype, tokens, scored);
      plan = new MemoryPlan(tokens, weights, optimiser, some, Activations.RECOMPUTED);
    }
    plan.check(available);
    return plan;
  }

  private static long kept(ModelShape shape, Dtype dtype, int tokens, int scored) {
    return shape.layers() * block(shape, dtype, tokens, scored) + Loss.bytes(shape, tokens);
  }

  private static long recomputed(ModelShape shape, Dtype dtype, int tokens, int scored) {
    long input = 2L * Float.BYTES * shape.width() * tokens;
    return shape.layers() * input + block(shape, dtype, tokens, scored) + Loss.bytes(shape, tokens);
  }

  private static long block(ModelShape shape, Dtype dtype, int tokens, int scored) {
    long linear = 2L * shape.qkvWidth() + 4L * shape.ffn();
    long stream = 10L * shape.width(); // residuals and norms, float32
    long scores = 3L * shape.heads() * scored / 2; // causal half, before and after the softmax
    return tokens * (stream * 4 + (linear + scores) * dtype.bytes() + linear * 2L);
  }

  public long total() {
    return weights + optimiser + activations;
  }

  private void check(long available) {
    if (total() <= available) return;
    throw new TrainingException(
        "the run needs about %s (weights %s, optimiser %s, activations %s) but only %s are free:"
                .formatted(
                    Memory.size(total()),
                    Memory.size(weights),
                    Memory.size(optimiser),
                    Memory.size(activations),
                    Memory.size(available))
            + " use shorter examples or a smaller model");
  }
}
