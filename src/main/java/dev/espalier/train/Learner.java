package dev.espalier.train;

import dev.espalier.model.Adapters;
import dev.espalier.model.Decoder;
import dev.espalier.model.Weights;
import dev.espalier.tensor.Scope;
import java.util.SequencedMap;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

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
    var hidden = Loss.hidden(decoder, forward, batch);
    return predict(decoder, forward, hidden, batch, Loss.most(decoder.shape()));
  }

  /// The same where nothing is recorded, so that nobody can learn from it.
  default Tensor infer(Decoder decoder, Batch batch) {
    return predict(decoder, batch);
  }

  /// Predictions from the model's output, so many at a time.
  ///
  /// @param hidden (N, width), float32
  default Tensor predict(Decoder decoder, Forward forward, Tensor hidden, Batch batch, int most) {
    if (batch.trained() <= most) return predict(decoder, forward, hidden, batch);
    var all = new TensorVector();
    for (long from = 0; from < batch.trained(); from += most) {
      long count = Math.min(most, batch.trained() - from);
      try (var scope = new Scope()) {
        var some = hidden.narrow(0, from, count);
        all.push_back(scope.keep(predict(decoder, forward, some, batch.part(from, count))));
      }
    }
    return torch.cat(all, 0);
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
