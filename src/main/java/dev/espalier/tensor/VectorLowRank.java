package dev.espalier.tensor;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// By the Vector API: dot products of A's rows with some rows at once, then sums of rows of B.
public final class VectorLowRank extends LowRank {
  private static final int PANEL = 8 * Numbers.LANES; // columns that Numbers#putRows has at once
  private static final int FEW = 16; // rows of a batch, up to which each may be another thread's
  private static final int MOST = 64; // rows, up to which libtorch's products are no faster

  private final Tensor a; // (R, in)
  private final Tensor
      b; // panels of its blocks on the diagonal, (rank, PANEL or what is left) each
  private final long atA; // where they lie: asking libtorch would take longer than some rows
  private final long atB;
  private final List<Panel> panels = new ArrayList<>();

  /// Some columns of a block on B's diagonal.
  ///
  /// @param before how many numbers of others lie before it
  private record Panel(Place place, long before) {
    long end() {
      return before + (long) place.ranks() * place.outs();
    }
  }

  /// A panel of a block on B's diagonal where it lies, (rank, out).
  ///
  /// @param rank the first of A's rows that it goes on from
  /// @param column the first of the output's that it gives
  public record Block(LaneMatrix matrix, int rank, int column) {}

  VectorLowRank(List<Layer> layers) {
    super(layers);
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      a = scope.keep(stacked(layers));
      var pieces = new TensorVector();
      for (int i = 0; i < layers.size(); i++) {
        if (places.get(i).ranks() > 0) lay(places.get(i), layers.get(i).b(), pieces);
      }
      b = scope.keep(torch.cat(pieces, 0));
    }
    atA = Rows.at(a);
    atB = Rows.at(b);
  }

  private void lay(Place place, Tensor matrix, TensorVector pieces) {
    long before = panels.isEmpty() ? 0 : panels.getLast().end();
    for (var part : place.parts(PANEL)) {
      var panel = new Panel(part, before);
      panels.add(panel);
      before = panel.end();
    }
    int whole = place.outs() / PANEL * PANEL;
    pieces.push_back(
        matrix.narrow(0, 0, whole).view(-1, PANEL, place.ranks()).transpose(1, 2).reshape(-1));
    pieces.push_back(matrix.narrow(0, whole, place.outs() - whole).t().reshape(-1));
  }

  /// A where it lies.
  public LaneMatrix lanes() {
    return new LaneMatrix(numbers, atA, rank, in);
  }

  /// The panels of B's blocks on the diagonal.
  public List<Block> blocks() {
    return panels.stream()
        .map(panel -> {
          var place = panel.place();
          var matrix = new LaneMatrix(numbers, at(panel), place.ranks(), place.outs());
          return new Block(matrix, place.rank(), place.column());
        })
        .toList();
  }

  private long at(Panel panel) {
    return atB + numbers.bytes() * panel.before();
  }

  @Override
  public long bytes() {
    return a.nbytes() + b.nbytes();
  }

  @Override
  int together(int batch) {
    return batch < FEW ? 1 : Numbers.TOGETHER;
  }

  @Override
  void put(long inputs, long outputs, int[] rows) {
    long bytes = numbers.bytes();
    var from = new long[rows.length];
    var to = new long[rows.length];
    for (int i = 0; i < rows.length; i++) {
      from[i] = inputs + bytes * rows[i] * in;
      to[i] = outputs + bytes * rows[i] * out;
      clearRest(to[i]);
    }
    var down = new float[rows.length][rank];
    numbers.dots(atA, rank, from, in, down);
    var results = new long[rows.length];
    for (var panel : panels) {
      var place = panel.place();
      for (int i = 0; i < rows.length; i++) results[i] = to[i] + bytes * place.column();
      int end = place.rank() + place.ranks();
      long apart = bytes * place.outs();
      numbers.putRows(results, place.outs(), at(panel), apart, down, place.rank(), end);
    }
  }

  /// Many rows by libtorch's products, which are faster then.
  @Override
  public void putAll(Tensor input, Tensor output) {
    if (input.size(0) <= MOST) {
      super.putAll(input, output);
      return;
    }
    var down = Products.linear(input, a);
    for (var place : places) {
      var some = output.narrow(1, place.column(), place.outs());
      if (place.ranks() == 0) some.zero_();
      else some.copy_(Products.mm(down.narrow(1, place.rank(), place.ranks()), dense(place)));
    }
  }

  private Tensor dense(Place place) {
    var pieces = new TensorVector();
    for (var panel : panels) {
      var part = panel.place();
      if (part.rank() != place.rank()) continue;
      var its = b.narrow(0, panel.before(), (long) part.ranks() * part.outs());
      pieces.push_back(its.view(part.ranks(), part.outs()));
    }
    return torch.cat(pieces, 1);
  }

  /// What [WarmUp] has compiled of it.
  static void exercise(Dtype dtype, int times) {
    var numbers = Numbers.of(dtype);
    int length = PANEL;
    try (var arena = Arena.ofConfined()) {
      long some = arena.allocate((long) PANEL * Numbers.ROWS * numbers.bytes(), 64).address();
      var rows = new long[Numbers.TOGETHER];
      Arrays.fill(rows, some);
      var down = new float[rows.length][Numbers.ROWS];
      long apart = (long) length * numbers.bytes();
      for (int i = 0; i < times; i++) {
        numbers.dots(some, Numbers.ROWS, rows, length, down);
        numbers.putRows(rows, length, some, apart, down, 0, Numbers.ROWS);
      }
    }
  }

  @Override
  public void close() {
    a.close();
    b.close();
  }
}
