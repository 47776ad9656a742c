package dev.espalier.model;

import dev.espalier.tensor.Crew;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.LaneMath;
import dev.espalier.tensor.LaneMatrix;
import dev.espalier.tensor.Lanes;
import java.lang.foreign.Arena;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Log-probabilities of tokens, from the model's output with tokens side by side.
///
/// The scores of a few panels exist at a time: the gradient of each log-probability is made of them
/// at once, whatever it will be multiplied with.
final class LaneScores {
  private static final int PANELS = 8; // that a thread takes at once
  private static final long MOST = 64L << 20; // bytes of a thread's scores

  private final float[] predictions;
  private final @Nullable Lanes gradients; // of each prediction, for the model's output

  /// @param hidden what the head reads
  /// @param head (vocabulary, width)
  /// @param targets of the tokens
  /// @param temperature that the scores are divided by
  /// @param back whether gradients are wanted
  LaneScores(Lanes hidden, LaneMatrix head, int[] targets, double temperature, boolean back) {
    predictions = new float[targets.length];
    gradients = back ? Lanes.empty(targets.length, hidden.features()) : null;
    int vocabulary = head.rows();
    long bytes = (long) Float.BYTES * Lanes.PANEL * Lanes.padded(vocabulary); // of a panel
    int panels = hidden.panels();
    int most = Math.clamp(MOST / bytes, 1, PANELS);
    int jobs = Math.ceilDiv(panels, most);
    Crew.device()
        .run(
            jobs,
            job -> {
              int first = panels * job / jobs;
              int end = panels * (job + 1) / jobs;
              try (var arena = Arena.ofConfined()) {
                long at = arena.allocate(bytes * (end - first), 64).address();
                var scores = new Lanes(at, end - first, Lanes.padded(vocabulary));
                head.multiply(hidden.part(first, end), null, scores);
                for (int panel = first; panel < end; panel++) {
                  LaneMath.logProbabilities(
                      scores.place(panel - first, 0),
                      vocabulary,
                      (float) (1 / temperature),
                      targets,
                      panel * Lanes.PANEL,
                      predictions);
                }
                if (gradients == null) return;
                head.multiplyTransposed(scores, null, gradients.part(first, end));
              }
            });
  }

  /// (N), float32
  Tensor predictions() {
    return torch.tensor(predictions, Dtype.F32.options());
  }

  /// The gradient of the model's output, once.
  ///
  /// @param ofPredictions (N), float32
  Lanes gradient(Tensor ofPredictions) {
    var made = Objects.requireNonNull(gradients);
    var factors = new float[made.panels() * Lanes.PANEL];
    ofPredictions.contiguous().data_ptr_float().get(factors, 0, predictions.length);
    for (int panel = 0; panel < made.panels(); panel++) {
      LaneMath.scale(made.place(panel, 0), made.features(), factors, panel * Lanes.PANEL);
    }
    return made;
  }
}
