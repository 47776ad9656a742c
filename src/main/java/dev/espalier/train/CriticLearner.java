package dev.espalier.train;

import dev.espalier.model.Activations;
import dev.espalier.model.Decoder;
import dev.espalier.model.Lora;
import dev.espalier.model.Weights;
import dev.espalier.tensor.Dtype;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.bytedeco.pytorch.Tensor;

/// Trains a critic: an adapter with a value head on the same frozen base, which says before each
/// token what reward is to be expected.
///
/// @param base frozen weights of the type that linear layers compute in
/// @param head (width + 1), float32: the value head's weights, and its bias last
/// @param activations what a pass keeps for its way back
public record CriticLearner(
    Weights base, Lora adapter, Tensor head, Dtype compute, Activations activations)
    implements Learner {
  @Override
  public SequencedMap<String, Tensor> parameters() {
    var out = new LinkedHashMap<>(adapter.parameters());
    out.put("value_head", head);
    return out;
  }

  @Override
  public Forward forward() {
    return new Forward(base, adapter.cast(compute));
  }

  /// The value before each trained token.
  @Override
  public Tensor predict(Decoder decoder, Forward forward, Tensor hidden, Batch batch) {
    int width = decoder.shape().width();
    return hidden.mv(head.narrow(0, 0, width)).add(head.narrow(0, width, 1));
  }

  /// By the blocks that [#pass] has.
  @Override
  public Tensor infer(Decoder decoder, Batch batch) {
    var blocks = Pass.blocks(base, adapter, compute, Activations.RECOMPUTED, decoder, batch);
    return predict(decoder, forward(), blocks.hidden(), batch, Loss.most(decoder.shape()));
  }

  @Override
  public Pass pass(Decoder decoder, Batch batch) {
    var blocks = Pass.blocks(base, adapter, compute, activations, decoder, batch);
    return Pass.ofLora(this, decoder, batch, blocks, Loss.most(decoder.shape()));
  }
}
