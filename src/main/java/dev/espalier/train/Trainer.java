package dev.espalier.train;

import dev.espalier.model.Decoder;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import java.util.List;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/// One optimiser step: rows in, changed parameters and a report out.
///
/// Each row is a unit of work on the device, so that decoding can go between two of them.
public final class Trainer {
  /// An optimiser and how its learning rate follows the schedule.
  ///
  /// @param rate multiplies the schedule's learning rate
  public record Part(Optimiser optimiser, double rate) {}

  /// What a step did.
  ///
  /// @param loss the weighted mean of −log p over the step's trained tokens
  /// @param gradientNorm before clipping
  /// @param trainedTokens how many tokens carried loss
  /// @param logprobs log p of each trained token, in the order of the rows
  public record Report(double loss, double gradientNorm, long trainedTokens, float[] logprobs) {}

  private final Decoder decoder;
  private final Learner learner;
  private final List<Part> parts;
  private final double clip;
  private final Device device = Device.cpu();

  /// @param clip the largest gradient norm; larger ones are scaled down to it
  public Trainer(Decoder decoder, Learner learner, List<Part> parts, double clip) {
    if (learner.parameters().isEmpty()) {
      throw new IllegalArgumentException("nothing to train: the run has zero trainable parameters");
    }
    this.decoder = decoder;
    this.learner = learner;
    this.parts = List.copyOf(parts);
    this.clip = clip;
  }

  /// One step over those rows.
  ///
  /// @throws TrainingException if no token carries loss, or a loss or gradient is not finite
  public Report step(List<Row> rows, double learningRate) {
    double total = 0;
    int trained = 0;
    for (var row : rows) {
      for (float weight : row.weights()) total += weight;
      trained += row.trained();
    }
    if (!(total > 0)) throw new TrainingException("a step without a token that carries loss");
    var logprobs = new float[trained];
    double loss = 0;
    int done = 0;
    double scale = 1 / total;
    for (var row : rows) {
      if (row.trained() == 0) continue;
      var some = device.run(Urgency.TRAIN, () -> backward(row, scale));
      System.arraycopy(some, 0, logprobs, done, some.length);
      done += some.length;
    }
    int i = 0;
    for (var row : rows) {
      for (float weight : row.weights()) if (weight != 0) loss -= weight * logprobs[i++] / total;
    }
    if (!Double.isFinite(loss)) throw notFinite(rows, logprobs);
    double norm = device.run(Urgency.TRAIN, () -> update(learningRate));
    return new Report(loss, norm, trained, logprobs);
  }

  /// The weighted mean of −log p over rows, without training on them.
  public double loss(List<Row> rows) {
    double sum = 0;
    double total = 0;
    for (var row : rows) {
      sum += device.run(Urgency.TRAIN, () -> evaluate(row));
      for (float weight : row.weights()) total += weight;
    }
    return sum / total;
  }

  private double evaluate(Row row) {
    try (var noGrad = new NoGradGuard()) {
      var forward = learner.forward();
      return Loss.crossEntropySum(decoder, forward.weights(), forward.adapters(), Batch.of(row))
          .item_float();
    }
  }

  /// Adds one row's gradients and returns the log-probabilities of its trained tokens.
  private float[] backward(Row row, double scale) {
    var batch = Batch.of(row);
    var forward = learner.forward();
    var logprobs = Loss.logProbabilities(decoder, forward.weights(), forward.adapters(), batch);
    logprobs.mul(batch.weights()).sum().mul(new Scalar(-scale)).backward();
    var out = new float[(int) batch.trained()];
    logprobs.detach().contiguous().data_ptr_float().get(out);
    return out;
  }

  private double update(double learningRate) {
    double squares = 0;
    try (var noGrad = new NoGradGuard()) {
      for (var item : learner.parameters().entrySet()) {
        double norm = norm(item.getValue());
        if (!Double.isFinite(norm)) {
          throw new TrainingException(
              "the gradient of %s is not finite: lower the learning rate".formatted(item.getKey()));
        }
        squares += norm * norm;
      }
      double norm = Math.sqrt(squares);
      if (norm > clip) {
        for (var parameter : learner.parameters().values()) {
          if (parameter.grad().defined()) parameter.grad().mul_(new Scalar(clip / norm));
        }
      }
    }
    for (var part : parts) part.optimiser().step(learningRate * part.rate());
    return Math.sqrt(squares);
  }

  private static double norm(Tensor parameter) {
    return parameter.grad().defined() ? parameter.grad().norm().item_float() : 0;
  }

  private static TrainingException notFinite(List<Row> rows, float[] logprobs) {
    int i = 0;
    for (int r = 0; r < rows.size(); r++) {
      for (int n = rows.get(r).trained(); n > 0; n--) {
        if (!Float.isFinite(logprobs[i++])) {
          return new TrainingException(
              "the loss is not finite, first in row %d of the step: lower the learning rate"
                  .formatted(r));
        }
      }
    }
    return new TrainingException("the loss is not finite: lower the learning rate");
  }
}
