package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Lanes;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// One packed row through the model and back, for the gradients of an adapter on a frozen base.
public interface BlockPass {
  /// The forward pass.
  ///
  /// @param lora float32 masters, which the gradients are added to
  /// @param dtype what linear layers compute in
  /// @param activations what is kept for the way back
  /// @param tokens (1, T) int64
  /// @param positions (1, T) int64
  /// @param spans the pieces of the row
  /// @param at (N) int64, the positions whose output is wanted
  static BlockPass of(
      Decoder decoder,
      Weights weights,
      Lora lora,
      Dtype dtype,
      Activations activations,
      Tensor tokens,
      Tensor positions,
      List<Span> spans,
      Tensor at) {
    return sideBySide(decoder.shape(), dtype)
        ? new LanePass(
            decoder, weights, lora, dtype, activations, tokens, positions, spans, numbers(at))
        : new LoraPass(decoder, weights, lora, dtype, activations, tokens, positions, spans, at);
  }

  /// Whether a model's tokens are computed with side by side ([Lanes]).
  ///
  /// @param dtype of its weights
  static boolean sideBySide(ModelShape shape, Dtype dtype) {
    return Lanes.fit(shape.width(), shape.ffn(), shape.headDim())
        && Lanes.faster(dtype, shape.bytes(dtype));
  }

  /// Whole numbers of a tensor.
  static int[] numbers(Tensor tensor) {
    var out = new long[Math.toIntExact(tensor.numel())];
    tensor.data_ptr_long().get(out);
    return Arrays.stream(out).mapToInt(Math::toIntExact).toArray();
  }

  /// Log-probabilities, and the way back from their gradient to the adapter's.
  ///
  /// @param predictions (N), float32
  record Scores(Tensor predictions, Consumer<Tensor> backward) {}

  /// log p of a token at each wanted position.
  ///
  /// @param targets (N) int64
  /// @param temperature that the logits are divided by
  /// @return null where they are to be made of [#hidden]
  @Nullable Scores scores(Tensor targets, double temperature);

  /// The same with no way back.
  ///
  /// @return (N), float32; null where they are to be made of [#hidden]
  @Nullable Tensor logProbabilities(Tensor targets, double temperature);

  /// The last block's output after the final norm at the wanted positions: (N, width), float32.
  Tensor hidden();

  /// Adds to the adapter's gradients.
  ///
  /// @param gradient of [#hidden], (N, width)
  void backward(Tensor gradient);
}
