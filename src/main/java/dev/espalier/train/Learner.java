package dev.espalier.train;

import dev.espalier.model.Adapters;
import dev.espalier.model.Decoder;
import dev.espalier.model.Weights;
import java.util.SequencedMap;
import org.bytedeco.pytorch.Tensor;

/// What a run trains: all weights of a model, or an adapter beside frozen ones.
public interface Learner {
  /// The float32 leaves that gradients reach, by name.
  SequencedMap<String, Tensor> parameters();

  /// What computes a forward pass, with the parameters cast as sampling casts them; the current
  /// scope owns the casts.
  Forward forward();

  /// A number for each trained token of a batch, for the loss: log p of the token, unless the
  /// learner predicts something else.
  ///
  /// @return (N), float32
  default Tensor predict(Decoder decoder, Batch batch) {
    var forward = forward();
    return predict(decoder, forward, Loss.hidden(decoder, forward, batch), batch);
  }

  /// The same from the model's output before each trained token.
  ///
  /// @param hidden (N, width), float32
  default Tensor predict(Decoder decoder, Forward forward, Tensor hidden, Batch batch) {
    return Loss.logProbabilities(decoder, forward, hidden, batch, 1);
  }

  /// Predictions that can be learnt from.
  default Pass pass(Decoder decoder, Batch batch) {
    return Pass.recorded(predict(decoder, batch));
  }

  /// Weights and adapters of one forward pass.
  record Forward(Weights weights, Adapters adapters) {}
}
