package dev.espalier.train;

import dev.espalier.model.Activations;
import dev.espalier.model.BlockPass;
import dev.espalier.model.Decoder;
import dev.espalier.model.Lora;
import dev.espalier.model.Weights;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import java.util.function.Consumer;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Predictions of a batch, and the way back from their gradient to those of the parameters.
///
/// @param predictions (N), float32
/// @param backward adds to the parameters' gradients, given that of the predictions
public record Pass(Tensor predictions, Consumer<Tensor> backward) {
  /// A pass that libtorch recorded.
  static Pass recorded(Tensor predictions) {
    return new Pass(predictions, gradient -> predictions.mul(gradient).sum().backward());
  }

  /// The blocks of a pass of an adapter on a frozen base.
  static BlockPass blocks(
      Weights base,
      Lora lora,
      Dtype compute,
      Activations activations,
      Decoder decoder,
      Batch batch) {
    try (var noGrad = new NoGradGuard()) {
      return BlockPass.of(
          decoder,
          base,
          lora,
          compute,
          activations,
          batch.tokens(),
          batch.positions(),
          batch.spans(),
          batch.at());
    }
  }

  /// Log-probabilities of a batch's targets, by hand to the end.
  ///
  /// @return null where they are to be recorded
  static @Nullable Pass scored(BlockPass blocks, Batch batch, double temperature) {
    try (var noGrad = new NoGradGuard()) {
      var scores = blocks.scores(batch.targets(), temperature);
      if (scores == null) return null;
      return new Pass(
          scores.predictions(),
          gradient -> {
            try (var none = new NoGradGuard()) {
              scores.backward().accept(gradient);
            }
          });
    }
  }

  /// A pass of blocks by hand, and of what comes after them recorded.
  ///
  /// Where there are more predictions than `most`, what comes after the blocks is computed for so
  /// many at a time, and once more on the way back.
  static Pass ofLora(Learner learner, Decoder decoder, Batch batch, BlockPass blocks, int most) {
    var forward = learner.forward();
    Tensor hidden;
    try (var noGrad = new NoGradGuard()) {
      hidden = blocks.hidden().set_requires_grad(true);
    }
    if (batch.trained() > most) return inParts(learner, decoder, forward, blocks, batch, most);
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

  private static Pass inParts(
      Learner learner,
      Decoder decoder,
      Learner.Forward forward,
      BlockPass blocks,
      Batch batch,
      int most) {
    var hidden = blocks.hidden().detach();
    Tensor predictions;
    try (var noGrad = new NoGradGuard()) {
      predictions = learner.predict(decoder, forward, hidden, batch, most);
    }
    return new Pass(
        predictions,
        gradient -> {
          var all = torch.empty_like(hidden);
          for (long from = 0; from < batch.trained(); from += most) {
            long count = Math.min(most, batch.trained() - from);
            try (var scope = new Scope()) {
              var some = hidden.narrow(0, from, count).clone().set_requires_grad(true);
              var again = learner.predict(decoder, forward, some, batch.part(from, count));
              again.mul(gradient.narrow(0, from, count)).sum().backward();
              all.narrow(0, from, count).copy_(some.grad());
            }
          }
          try (var noGrad = new NoGradGuard()) {
            blocks.backward(all);
          }
        });
  }
}
