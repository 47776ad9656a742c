package dev.espalier.model;

import dev.espalier.model.ModelShape.Linear;
import dev.espalier.tensor.Crew;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.LaneMatrix;
import dev.espalier.tensor.LaneOuter;
import dev.espalier.tensor.Lanes;
import dev.espalier.tensor.Rows;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// One projection of tokens side by side with its LoRA matrices, and their gradients by hand; the
/// base's weight is frozen.
final class LaneLinear {
  private static final int EACH = 64; // rows or columns of a gradient that a thread takes at once

  private final LaneWeight weight;
  private final List<Part> parts = new ArrayList<>();
  private final int ranks;
  private @Nullable Kept kept;

  /// The LoRA matrices of one layer.
  ///
  /// @param b scaled
  /// @param row its first feature of the output
  /// @param rank its first feature of what is between A and B
  private record Part(Lora.Site site, LaneMatrix a, LaneMatrix b, int row, int rank) {}

  /// What the way back needs of a pass.
  ///
  /// @param down what A makes of the input
  /// @param through what B makes of the gradient
  private record Kept(Lanes input, Lanes down, Lanes through) {}

  /// @param from the projection's first layer that is computed
  /// @param end after its last one
  /// @param dtype that the LoRA matrices are rounded to, as sampling rounds them
  LaneLinear(
      Projection projection,
      int from,
      int end,
      Weights weights,
      Map<String, Lora.Site> sites,
      Dtype dtype) {
    var of = projection.parts().subList(from, end);
    long before = width(projection.parts().subList(0, from));
    weight = LaneWeight.of(projection, weights, before, width(of));
    int row = 0;
    int rank = 0;
    for (var linear : of) {
      var site = sites.get(linear.name());
      if (site != null) {
        var a = new LaneMatrix(site.a().to(dtype.scalar()));
        var b = new LaneMatrix(LoraPair.scaled(site).to(dtype.scalar()));
        parts.add(new Part(site, a, b, row, rank));
        rank += Lanes.padded(site.rank());
      }
      row += Math.toIntExact(linear.out());
    }
    ranks = rank;
  }

  private static long width(List<Linear> layers) {
    return layers.stream().mapToLong(Linear::out).sum();
  }

  /// @param start what is added to; null for zeros
  /// @param out where the output goes
  TokenStep forward(Lanes x, @Nullable Lanes start, Lanes out) {
    var inner = new Kept(x, between(x), between(x));
    kept = inner;
    return (from, end) -> {
      int first = from / Lanes.PANEL;
      int last = Lanes.panels(end);
      var some = x.part(first, last);
      var made = out.part(first, last);
      weight.multiply(some, start == null ? null : start.part(first, last), made);
      for (var part : parts) {
        var down = inner.down().part(first, last).from(part.rank());
        part.a().multiply(some, null, down);
        var to = made.from(part.row());
        part.b().multiply(down, to, to);
      }
    };
  }

  private Lanes between(Lanes x) {
    return Lanes.empty(x.panels() * Lanes.PANEL, ranks);
  }

  /// The gradient of the input.
  ///
  /// @param gradient of the output
  /// @param start what is added to; null for zeros
  /// @param in where it goes; null where nobody wants it
  TokenStep backward(Lanes gradient, @Nullable Lanes start, @Nullable Lanes in) {
    var inner = Objects.requireNonNull(kept);
    return (from, end) -> {
      int first = from / Lanes.PANEL;
      int last = Lanes.panels(end);
      var some = gradient.part(first, last);
      var made = in == null ? null : in.part(first, last);
      if (made != null) {
        var before = start == null ? null : start.part(first, last);
        weight.matrix().multiplyTransposed(some, before, made);
      }
      for (var part : parts) {
        var through = inner.through().part(first, last).from(part.rank());
        part.b().multiplyTransposed(some.from(part.row()), null, through);
        if (made != null) part.a().multiplyTransposed(through, made, made);
      }
    };
  }

  /// Adds to the gradients of the LoRA matrices, after the step back.
  ///
  /// @param gradient of the output
  void accumulate(Lanes gradient) {
    var inner = Objects.requireNonNull(kept);
    for (var part : parts) {
      int rank = part.site().rank();
      int in = Math.toIntExact(part.site().a().size(1));
      int out = Math.toIntExact(part.site().b().size(0));
      long a = gradient(part.site().a());
      long b = gradient(part.site().b());
      float scale = (float) part.site().scale();
      int ofA = Math.ceilDiv(in, EACH);
      Crew.device()
          .run(
              ofA + Math.ceilDiv(out, EACH),
              job -> {
                if (job < ofA) {
                  int from = job * EACH;
                  int end = Math.min(in, from + EACH);
                  var through = inner.through().from(part.rank());
                  LaneOuter.add(through, rank, inner.input(), in, 1, a, from, end);
                } else {
                  int from = (job - ofA) * EACH;
                  int count = Math.min(EACH, out - from);
                  long to = b + (long) Float.BYTES * from * rank;
                  var outer = gradient.from(part.row() + from);
                  var down = inner.down().from(part.rank());
                  LaneOuter.add(outer, count, down, rank, scale, to, 0, rank);
                }
              });
    }
  }

  /// Where a parameter's gradient lies.
  private static long gradient(Tensor parameter) {
    if (!parameter.grad().defined()) parameter.mutable_grad().put(torch.zeros_like(parameter));
    return Rows.at(parameter.grad());
  }
}
