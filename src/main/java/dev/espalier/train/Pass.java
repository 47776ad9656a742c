package dev.espalier.train;

import dev.espalier.model.Decoder;
import dev.espalier.model.Lora;
import dev.espalier.model.LoraPass;
import dev.espalier.tensor.Dtype;
import java.util.function.Consumer;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/// Predictions of a batch, and the way back from their gradient to those of the parameters.
///
/// @param predictions (N), float32
/// @param backward adds to the parameters' gradients, given that of the predictions
public record Pass(Tensor predictions, Consumer<Tensor> backward) {
  /// A pass that libtorch recorded.
  static Pass recorded(Tensor predictions) {
    return new Pass(predictions, gradient -> predictions.mul(gradient).sum().backward());
  }

  /// A pass of an adapter on a frozen base: the blocks by hand, and what comes after them recorded.
  static Pass ofLora(Learner learner, Lora lora, Dtype compute, Decoder decoder, Batch batch) {
    var forward = learner.forward();
    LoraPass blocks;
    Tensor hidden;
    try (var noGrad = new NoGradGuard()) {
      blocks =
          new LoraPass(
              decoder,
              forward.weights(),
              lora,
              compute,
              batch.tokens(),
              batch.positions(),
              batch.spans(),
              batch.at());
      hidden = blocks.hidden().set_requires_grad(true);
    }
    var predictions = learner.predict(decoder, forward, hidden, batch);
    return new Pass(
        predictions,
        gradient -> {
          predictions.mul(gradient).sum().backward();
          try (var noGrad = new NoGradGuard()) {
            blocks.backward(hidden.grad());
          }
        });
  }
}
