package dev.espalier.train;

import dev.espalier.model.ModelShape;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Lanes;
import dev.espalier.tensor.Memory;

/// What a training run will need at its peak, in bytes, so that it can be refused before it starts.
///
/// @param tokens of the largest row that goes through the model at once
/// @param weights the base model
/// @param optimiser masters, gradients and moments of what is trained
/// @param activations what a row keeps for its backward pass
public record MemoryPlan(int tokens, long weights, long optimiser, long activations) {
  private static final int MOST_TOKENS = 4096;
  private static final long ENOUGH = 2L << 30;

  /// Plans a run: rows as long as products want them, shorter for large models, and never shorter
  /// than the longest sequence.
  ///
  /// @param trainable how many numbers are trained
  /// @param longest tokens of the longest sequence
  /// @param full whether every weight is trained, by libtorch's own backward pass
  public static MemoryPlan of(
      ModelShape shape, Dtype dtype, long trainable, int longest, boolean full) {
    boolean lanes = !full && Lanes.fit(dtype, shape.width(), shape.ffn(), shape.headDim());
    int scored = lanes ? 0 : longest; // side by side, scores are made again for the way back
    int tokens = MOST_TOKENS;
    while (tokens / 2 >= longest && activations(shape, dtype, tokens, scored) > ENOUGH) tokens /= 2;
    tokens = Math.max(tokens, longest);
    return new MemoryPlan(
        tokens,
        shape.size() * dtype.bytes(),
        trainable * 16,
        activations(shape, dtype, tokens, scored));
  }

  private static long activations(ModelShape shape, Dtype dtype, int tokens, int scored) {
    long linear = 2L * shape.qkvWidth() + 4L * shape.ffn();
    long stream = 10L * shape.width(); // residuals and norms, float32
    long scores = 3L * shape.heads() * scored / 2; // causal half, before and after the softmax
    long layer = tokens * (stream * 4 + (linear + scores) * dtype.bytes() + linear * 2L);
    return layer * shape.layers() + Loss.bytes(shape, tokens);
  }

  public long total() {
    return weights + optimiser + activations;
  }

  /// Refuses a run that does not fit.
  ///
  /// @param available bytes
  /// @throws TrainingException with the numbers and what to change
  public void check(long available) {
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
