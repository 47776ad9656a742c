package dev.espalier.train;

import dev.espalier.model.Adapters;
import dev.espalier.model.Decoder;
import dev.espalier.model.PackedAttention;
import dev.espalier.model.Weights;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Log-probabilities of a batch's targets.
public final class Loss {
  private Loss() {}

  /// log p(target) of every prediction that carries loss: (N), float32.
  ///
  /// Logits are made for those positions only.
  ///
  /// @param temperature that the logits are divided by
  public static Tensor logProbabilities(
      Decoder decoder, Weights weights, Adapters adapters, Batch batch, double temperature) {
    var attention = PackedAttention.of(batch.spans());
    var hidden = decoder.hidden(weights, batch.tokens(), batch.positions(), attention, adapters);
    var picked = hidden.view(-1, decoder.shape().width()).index_select(0, batch.at());
    var logits = decoder.logits(weights, picked.unsqueeze(0), adapters).squeeze(0); // (N, V)
    if (temperature != 1) logits = logits.div(new Scalar(temperature));
    return torch.log_softmax(logits, -1).gather(-1, batch.targets().unsqueeze(1)).squeeze(1);
  }
}
