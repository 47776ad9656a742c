package dev.espalier.train;

import dev.espalier.model.Decoder;
import dev.espalier.model.ModelShape;
import dev.espalier.model.PackedAttention;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Log-probabilities of a batch's targets.
public final class Loss {
  private static final long SCORES_BYTES = 256L << 20;

  private Loss() {}

  /// For how many predictions scores are made at once, so that they never exist for all.
  static int most(ModelShape shape) {
    return (int) Math.max(1, SCORES_BYTES / bytes(shape));
  }

  /// What the scores of that many predictions take at their peak.
  static long bytes(ModelShape shape, int predictions) {
    return Math.min(predictions, most(shape)) * bytes(shape);
  }

  /// Of one prediction: its scores, their softmax and its gradient.
  private static long bytes(ModelShape shape) {
    return 3L * Float.BYTES * shape.vocabulary();
  }

  /// The model's output before each prediction that carries loss: (N, width), float32.
  static Tensor hidden(Decoder decoder, Learner.Forward forward, Batch batch) {
    var hidden =
        decoder.hidden(
            forward.weights(),
            batch.tokens(),
            batch.positions(),
            PackedAttention.of(batch.spans()),
            forward.adapters());
    return hidden.view(-1, decoder.shape().width()).index_select(0, batch.at());
  }

  /// log p(target) of every prediction that carries loss: (N), float32.
  ///
  /// Logits are made for those positions only.
  ///
  /// @param hidden as [#hidden] has it
  /// @param temperature that the logits are divided by
  static Tensor logProbabilities(
      Decoder decoder, Learner.Forward forward, Tensor hidden, Batch batch, double temperature) {
    var logits =
        decoder.logits(forward.weights(), hidden.unsqueeze(0), forward.adapters()).squeeze(0);
    if (temperature != 1) logits = logits.div(new Scalar(temperature)); // (N, V)
    return torch.log_softmax(logits, -1).gather(-1, batch.targets().unsqueeze(1)).squeeze(1);
  }
}
