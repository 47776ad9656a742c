package dev.espalier.train;

import java.util.SequencedMap;
import org.bytedeco.pytorch.Tensor;

/// Changes parameters by their gradients. Its state is tensors with names, so that a checkpoint can
/// hold them.
public interface Optimiser extends AutoCloseable {
  /// One update with the gradients that the parameters hold, which are cleared.
  void step(double learningRate);

  /// The state by name, in a fixed order; the tensors stay the optimiser's.
  SequencedMap<String, Tensor> state();

  /// How many updates were made.
  int steps();

  /// Continues from a count of updates after [#state]'s tensors were filled from a checkpoint.
  void resume(int steps);

  @Override
  void close();
}
