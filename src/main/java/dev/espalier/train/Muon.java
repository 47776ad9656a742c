package dev.espalier.train;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// Muon (Jordan et al., 2024): momentum, orthogonalised by a Newton–Schulz iteration, for hidden
/// matrices.
///
/// Differs from the original: matrices of one shape are orthogonalised together, as one batched
/// product, and the update is scaled by max(1, rows/columns)^½. Not for embeddings, heads or
/// vectors: [AdamW] takes those.
public final class Muon implements Optimiser {
  private static final double MOMENTUM = 0.95;
  private static final int ITERATIONS = 5;

  private record Slot(String name, Tensor parameter, Tensor momentum) {}

  private final double weightDecay;
  private final List<Slot> slots = new ArrayList<>();
  private final Collection<List<Slot>> byShape;
  private int steps;

  /// @param parameters float32 matrices; they stay the caller's
  public Muon(SequencedMap<String, Tensor> parameters, double weightDecay) {
    this.weightDecay = weightDecay;
    var groups = new LinkedHashMap<String, List<Slot>>();
    try (var scope = new Scope()) {
      parameters.forEach((name, parameter) -> {
        var momentum = scope.keep(torch.zeros_like(parameter.detach()));
        var slot = new Slot(name, parameter, momentum);
        slots.add(slot);
        var shape = parameter.size(0) + " x " + parameter.size(1);
        groups.computeIfAbsent(shape, s -> new ArrayList<>()).add(slot);
      });
    }
    byShape = groups.values();
  }

  @Override
  public void step(double learningRate) {
    steps++;
    try (var noGrad = new NoGradGuard()) {
      for (var group : byShape) {
        try (var scope = new Scope()) {
          update(group, learningRate);
        }
      }
    }
  }

  private void update(List<Slot> group, double learningRate) {
    var directions = new TensorVector();
    for (var slot : group) {
      var gradient = slot.parameter().grad();
      if (!gradient.defined()) throw new IllegalStateException(slot.name() + " has no gradient");
      slot.momentum().lerp_(gradient, new Scalar(1 - MOMENTUM));
      directions.push_back(gradient.lerp(slot.momentum(), new Scalar(MOMENTUM))); // Nesterov
    }
    var updates = orthogonalise(torch.stack(directions, 0));
    for (int i = 0; i < group.size(); i++) {
      var parameter = group.get(i).parameter();
      double scale = Math.sqrt(Math.max(1, (double) parameter.size(0) / parameter.size(1)));
      parameter.mul_(new Scalar(1 - learningRate * weightDecay));
      parameter.add_(updates.select(0, i), new Scalar(-learningRate * scale));
      parameter.grad().zero_();
    }
  }

  /// The nearest matrix with orthogonal rows or columns, approximately: (K, rows, columns) → the
  /// same.
  private static Tensor orthogonalise(Tensor matrices) {
    boolean tall = matrices.size(1) > matrices.size(2);
    var x = matrices.to(Dtype.BF16.scalar());
    if (tall) x = x.transpose(1, 2);
    var norm =
        x.norm(new org.bytedeco.pytorch.ScalarOptional(new Scalar(2)), new long[] {1, 2}, true);
    x = x.div(norm.add(new Scalar(1e-7)));
    for (int i = 0; i < ITERATIONS; i++) {
      var a = torch.bmm(x, x.transpose(1, 2));
      var b = a.mul(new Scalar(-4.7750)).add(torch.bmm(a, a).mul(new Scalar(2.0315)));
      x = x.mul(new Scalar(3.4445)).add(torch.bmm(b, x));
    }
    return (tall ? x.transpose(1, 2) : x).to(Dtype.F32.scalar());
  }

  @Override
  public SequencedMap<String, Tensor> state() {
    var out = new LinkedHashMap<String, Tensor>();
    for (var slot : slots) out.put("momentum." + slot.name(), slot.momentum());
    return out;
  }

  @Override
  public int steps() {
    return steps;
  }

  @Override
  public void resume(int done) {
    steps = done;
  }

  @Override
  public void close() {
    for (var slot : slots) slot.momentum().close();
  }
}
