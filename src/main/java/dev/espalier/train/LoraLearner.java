package dev.espalier.train;

import dev.espalier.model.Activations;
import dev.espalier.model.Decoder;
import dev.espalier.model.Lora;
import dev.espalier.model.Weights;
import dev.espalier.tensor.Dtype;
import java.util.SequencedMap;
import org.bytedeco.pytorch.Tensor;

/// Trains an adapter; the base's weights stay as they are.
///
/// @param base frozen weights of the type that linear layers compute in
/// @param temperature what logits are divided by, as the sampler divides them
/// @param activations what a pass keeps for its way back
public record LoraLearner(
    Weights base, Lora adapter, Dtype compute, double temperature, Activations activations)
    implements Learner {
  /// One that leaves its probabilities as they are, and keeps all it needs.
  public LoraLearner(Weights base, Lora adapter, Dtype compute) {
    this(base, adapter, compute, 1, Activations.KEPT);
  }

  @Override
  public SequencedMap<String, Tensor> parameters() {
    return adapter.parameters();
  }

  @Override
  public Forward forward() {
    return new Forward(base, adapter.cast(compute));
  }

  /// By the blocks that [#pass] has.
  @Override
  public Tensor infer(Decoder decoder, Batch batch) {
    var blocks = Pass.blocks(base, adapter, compute, Activations.RECOMPUTED, decoder, batch);
    var logprobs = blocks.logProbabilities(batch.targets(), temperature);
    if (logprobs != null) return logprobs;
    return predict(decoder, forward(), blocks.hidden(), batch, Loss.most(decoder.shape()));
  }

  @Override
  public Tensor predict(Decoder decoder, Forward forward, Tensor hidden, Batch batch) {
    return Loss.logProbabilities(decoder, forward, hidden, batch, temperature);
  }

  @Override
  public Pass pass(Decoder decoder, Batch batch) {
    var blocks = Pass.blocks(base, adapter, compute, activations, decoder, batch);
    var scored = Pass.scored(blocks, batch, temperature);
    if (scored != null) return scored;
    return Pass.ofLora(this, decoder, batch, blocks, Loss.most(decoder.shape()));
  }
}
