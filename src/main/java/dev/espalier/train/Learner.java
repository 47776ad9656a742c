package dev.espalier.train;

import dev.espalier.model.Adapters;
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

  /// Weights and adapters of one forward pass.
  record Forward(Weights weights, Adapters adapters) {}
}
