package dev.espalier.train;

import java.util.List;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// A row, and the tokens with loss that its predictions are for: several of them where sequences
/// have a token in common.
///
/// @param sources the tokens, in the order of their predictions
public record PackedRow(Row row, List<Source> sources) {
  /// A token with loss of one sequence.
  ///
  /// @param sequence its place among those packed
  /// @param token its place in the sequence
  /// @param weight how much its loss counts
  /// @param prediction which of the row's predictions it is
  public record Source(int sequence, int token, float weight, int prediction) {}

  public PackedRow {
    sources = List.copyOf(sources);
  }

  /// Numbers of the row's predictions as numbers of its sources.
  public float[] bySource(float[] predictions) {
    var out = new float[sources.size()];
    for (int i = 0; i < out.length; i++) out[i] = predictions[sources.get(i).prediction()];
    return out;
  }

  /// How much each source counts.
  public float[] weights() {
    var out = new float[sources.size()];
    for (int i = 0; i < out.length; i++) out[i] = sources.get(i).weight();
    return out;
  }

  /// A part of a step.
  ///
  /// @param loss a scalar, of what the learner predicts for each source
  public Trainer.Unit unit(Function<Tensor, Tensor> loss) {
    var which = sources.stream().mapToLong(Source::prediction).toArray();
    return new Trainer.Unit(
        row,
        predictions -> {
          var index = torch.tensor(which, new TensorOptions(ScalarType.Long));
          return loss.apply(predictions.index_select(0, index));
        });
  }
}
