package dev.espalier.train;

import dev.espalier.model.Adapters;
import dev.espalier.model.Weights;
import dev.espalier.tensor.Dtype;
import java.util.SequencedMap;
import org.bytedeco.pytorch.Tensor;

/// Full fine-tuning: every weight is a parameter.
///
/// @param masters float32 leaves, as [Weights#trainable] makes them
/// @param compute the type that linear layers compute in
public record FullLearner(Weights masters, Dtype compute) implements Learner {
  @Override
  public SequencedMap<String, Tensor> parameters() {
    return masters.all();
  }

  @Override
  public Forward forward() {
    return new Forward(masters.map(tensor -> tensor.to(compute.scalar())), Adapters.NONE);
  }
}
