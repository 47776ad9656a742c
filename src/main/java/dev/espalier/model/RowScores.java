package dev.espalier.model;

import dev.espalier.tensor.Crew;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Products;
import dev.espalier.tensor.RowGradients;
import dev.espalier.tensor.Rows;
import dev.espalier.tensor.Scope;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Log-probabilities of tokens, from the model's output row by row: [LaneScores] for products that
/// are libtorch's.
///
/// The scores of some rows exist at a time, in the type of the head: the gradient of each
/// log-probability is made of them at once, in their place.
final class RowScores {
  private static final long MOST = 128L << 20; // bytes of scores
  private static final int FEW = 8; // rows that a thread takes at once

  private final float[] predictions;
  private final @Nullable Tensor gradients; // of each prediction, for the model's output

  /// @param hidden (N, width), float32: what the head reads
  /// @param head (vocabulary, width)
  /// @param targets of the rows
  /// @param temperature that the scores are divided by
  /// @param back whether gradients are wanted
  RowScores(Tensor hidden, Tensor head, int[] targets, double temperature, boolean back) {
    predictions = new float[targets.length];
    gradients = back ? torch.empty_like(hidden) : null;
    var dtype = Dtype.of(head);
    int most = Math.toIntExact(Math.max(1, MOST / (head.size(0) * dtype.bytes())));
    for (int first = 0; first < targets.length; first += most) {
      int count = Math.min(most, targets.length - first);
      try (var scope = new Scope()) {
        var in = hidden.narrow(0, first, count).to(dtype.scalar());
        var scores = Products.mm(in, head.t());
        replace(scores, targets, first, (float) (1 / temperature));
        if (gradients != null) gradients.narrow(0, first, count).copy_(Products.mm(scores, head));
      }
    }
  }

  /// Notes the log-probabilities of rows, and makes of their scores the gradients.
  private void replace(Tensor scores, int[] targets, int first, float scale) {
    int count = Math.toIntExact(scores.size(0));
    int vocabulary = Math.toIntExact(scores.size(1));
    var rows = new Rows(Dtype.of(scores));
    long at = Rows.at(scores);
    Crew.device()
        .run(
            Math.ceilDiv(count, FEW),
            job -> {
              var row = new float[vocabulary];
              for (int i = job * FEW; i < Math.min(count, (job + 1) * FEW); i++) {
                long place = rows.after(at, (long) i * vocabulary);
                rows.read(place, row);
                int target = targets[first + i];
                predictions[first + i] = RowGradients.logProbability(row, target, scale);
                if (gradients != null) rows.write(row, place);
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
  Tensor gradient(Tensor ofPredictions) {
    return Objects.requireNonNull(gradients).mul_(ofPredictions.unsqueeze(1));
  }
}
