package dev.espalier.tensor;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The way back through what [Rows] computes: from the gradient of an output to that of its input.
public final class RowGradients {
  private static final VectorSpecies<Float> FLOATS = Numbers.FLOATS;
  private static final int STEP = Numbers.LANES;

  private RowGradients() {}

  /// Of an RMS norm of a part of a row: (g·w − unit · mean(g·w · unit)) / root mean square, where
  /// unit is x divided by its root mean square.
  ///
  /// @param x what was normalised
  /// @param from where the part starts
  /// @param weight of the part
  /// @param gradient of the output; becomes that of x
  public static void norm(float[] x, int from, float[] weight, double eps, float[] gradient) {
    int count = weight.length;
    float inverse = Rows.inverse(x, from, count, eps);
    int filled = count / STEP * STEP;
    for (int i = 0; i < filled; i += STEP) {
      var scaled = FloatVector.fromArray(FLOATS, weight, i);
      scaled.mul(FloatVector.fromArray(FLOATS, gradient, from + i)).intoArray(gradient, from + i);
    }
    for (int i = filled; i < count; i++) gradient[from + i] *= weight[i];
    float along = Rows.dot(gradient, from, x, from, count) / count * inverse * inverse;
    for (int i = from; i < from + filled; i += STEP) {
      var part = FloatVector.fromArray(FLOATS, x, i).mul(along);
      FloatVector.fromArray(FLOATS, gradient, i).sub(part).mul(inverse).intoArray(gradient, i);
    }
    for (int i = from + filled; i < from + count; i++) {
      gradient[i] = (gradient[i] - x[i] * along) * inverse;
    }
  }

  /// Of log p of a token, p being the softmax of scaled scores: scale · (1 at the token − p).
  ///
  /// @param scores become their gradients
  /// @return log p
  public static float logProbability(float[] scores, int token, float scale) {
    float score = scores[token];
    float most = Rows.most(scores, 0, scores.length);
    float sum = Rows.powers(scores, 0, scores.length, scale, most);
    for (int i = 0; i < scores.length; i++) scores[i] = scores[i] / sum * -scale;
    scores[token] += scale;
    return score * scale - (float) (most * scale + Math.log(sum));
  }

  /// Of a rotation.
  ///
  /// @param gradient of the rotated; becomes that of what was rotated
  /// @param from where the head starts
  public static void rotate(float[] gradient, int from, float[] cos, float[] sin) {
    Rows.turn(gradient, from, cos, sin, cos.length / 2, 0);
  }

  /// Of silu(gate) · up.
  ///
  /// @param gates become their gradients
  /// @param ups become theirs
  /// @param gradient of the product
  public static void gate(float[] gates, float[] ups, float[] gradient) {
    int i = 0;
    for (; i <= gates.length - STEP; i += STEP) {
      var gate = FloatVector.fromArray(FLOATS, gates, i);
      var up = FloatVector.fromArray(FLOATS, ups, i);
      var of = FloatVector.fromArray(FLOATS, gradient, i);
      var open = FloatVector.broadcast(FLOATS, 1).div(Rows.exp(gate.neg()).add(1));
      var silu = gate.mul(open);
      of.mul(silu).intoArray(ups, i);
      // the derivative of silu: σ · (1 + gate · (1 − σ)) = σ + silu · (1 − σ)
      var slope = open.sub(silu.mul(open.sub(1)));
      of.mul(up).mul(slope).intoArray(gates, i);
    }
    for (; i < gates.length; i++) {
      float open = (float) (1 / (1 + Math.exp(-gates[i])));
      float silu = gates[i] * open;
      float slope = open - silu * (open - 1);
      gates[i] = gradient[i] * ups[i] * slope;
      ups[i] = gradient[i] * silu;
    }
  }
}
