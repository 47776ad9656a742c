package dev.espalier.train;

import dev.espalier.model.Decoder;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

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
  /// @param loss of the step
  /// @param gradientNorm before clipping
  /// @param trainedTokens how many tokens carried loss
  /// @param predictions what the learner predicted for each trained token before the step, such as
  ///   its log p, in the order of the rows
  public record Report(double loss, double gradientNorm, long trainedTokens, float[] predictions) {}

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

  /// One row and its part of the step's loss.
  ///
  /// @param loss a scalar, of what the learner predicts for the row's trained tokens, (N)
  public record Unit(Row row, Function<Tensor, Tensor> loss) {}

  /// One step over those rows: the weighted mean of −log p over their trained tokens.
  ///
  /// @throws TrainingException if no token carries loss, or a loss or gradient is not finite
  public Report step(List<Row> rows, double learningRate) {
    double total = 0;
    for (var row : rows) for (float weight : row.weights()) total += weight;
    double scale = -1 / total;
    var units = new ArrayList<Unit>();
    for (var row : rows) {
      if (row.trained() == 0) continue;
      var weights = row.trainedWeights();
      units.add(
          new Unit(
              row,
              logprobs -> {
                var weighted = logprobs.mul(torch.tensor(weights, Dtype.F32.options()));
                return weighted.sum().mul(new Scalar(scale));
              }));
    }
    return train(units, learningRate);
  }

  /// One step over rows with a loss each, which add up.
  ///
  /// @throws TrainingException if no token carries loss, or a loss or gradient is not finite
  public Report train(List<Unit> units, double learningRate) {
    int trained = units.stream().mapToInt(unit -> unit.row().trained()).sum();
    if (trained == 0) throw new TrainingException("a step without a token that carries loss");
    var predictions = new float[trained];
    double loss = 0;
    int done = 0;
    for (int i = 0; i < units.size(); i++) {
      var unit = units.get(i);
      var some = new float[unit.row().trained()];
      double part = device.run(Urgency.TRAIN, () -> backward(unit, some));
      if (!Double.isFinite(part)) {
        throw new NotFiniteException(
            "the loss is not finite, first in row %d of the step: lower the learning rate"
                .formatted(i));
      }
      loss += part;
      System.arraycopy(some, 0, predictions, done, some.length);
      done += some.length;
    }
    double norm = device.run(Urgency.TRAIN, () -> update(learningRate));
    return new Report(loss, norm, trained, predictions);
  }

  /// What a learner predicts for the trained tokens of rows, without training on them.
  public static float[][] predict(Decoder decoder, Learner learner, List<Row> rows) {
    var out = new float[rows.size()][];
    for (int i = 0; i < out.length; i++) {
      var row = rows.get(i);
      var some = new float[row.trained()];
      Device.cpu()
          .run(
              Urgency.TRAIN,
              () -> {
                try (var noGrad = new NoGradGuard()) {
                  copy(learner.infer(decoder, Batch.of(row)), some);
                }
              });
      out[i] = some;
    }
    return out;
  }

  /// The weighted mean of −log p over rows, without training on them.
  public double loss(List<Row> rows) {
    double sum = 0;
    double total = 0;
    var logprobs = predict(decoder, learner, rows);
    for (int i = 0; i < logprobs.length; i++) {
      var weights = rows.get(i).trainedWeights();
      for (int n = 0; n < weights.length; n++) {
        sum -= weights[n] * logprobs[i][n];
        total += weights[n];
      }
    }
    return sum / total;
  }

  /// Adds one row's gradients, hands over its predictions and returns its loss.
  private double backward(Unit unit, float[] predictions) {
    var pass = learner.pass(decoder, Batch.of(unit.row()));
    var predicted = pass.predictions().detach().set_requires_grad(true);
    var loss = unit.loss().apply(predicted);
    loss.backward();
    pass.backward().accept(predicted.grad());
    copy(predicted.detach(), predictions);
    return loss.item_float();
  }

  private static void copy(Tensor from, float[] to) {
    from.contiguous().data_ptr_float().get(to);
  }

  private double update(double learningRate) {
    double squares = 0;
    try (var noGrad = new NoGradGuard()) {
      for (var item : learner.parameters().entrySet()) {
        double norm = norm(item.getValue());
        if (!Double.isFinite(norm)) {
          throw new NotFiniteException(
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
}
