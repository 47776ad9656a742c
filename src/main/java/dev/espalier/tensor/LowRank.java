package dev.espalier.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// An adapter's matrices of a projection, and what they make of its input, B·A·x, for rows that
/// have a different adapter each.
///
/// They lie in the order in which a row reads them, at about the speed of the memory. Sums are
/// float32; what they make is rounded by itself, and to be added to the projection's product before
/// that is rounded: of a 16-bit number the first steps of an adapter change less than half a unit.
/// On the device's thread.
public abstract sealed class LowRank implements AutoCloseable permits VectorLowRank, BrgemmLowRank {
  final Numbers numbers;
  final int rank; // R, the sum of the layers'
  final int in;
  final int out;
  final List<Place> places = new ArrayList<>(); // of all layers

  /// The matrices of one of a projection's layers.
  ///
  /// @param a (rank, in), rank 0 where the adapter does not change the layer
  /// @param b (out, rank), scaled
  public record Layer(Tensor a, Tensor b) {}

  /// A layer's block on B's diagonal, or some of its columns.
  ///
  /// @param rank the first of A's rows that it goes on from
  /// @param ranks how many
  /// @param column the first of the output's that it gives
  /// @param outs how many
  record Place(int rank, int ranks, int column, int outs) {
    /// Its columns, so many at a time.
    List<Place> parts(int most) {
      var parts = new ArrayList<Place>();
      for (int from = 0; from < outs; from += most) {
        parts.add(new Place(rank, ranks, column + from, Math.min(most, outs - from)));
      }
      return parts;
    }
  }

  LowRank(List<Layer> layers) {
    int ranks = 0;
    int outs = 0;
    for (var layer : layers) {
      int its = Math.toIntExact(layer.a().size(0));
      int columns = Math.toIntExact(layer.b().size(0));
      places.add(new Place(ranks, its, outs, columns));
      ranks += its;
      outs += columns;
    }
    numbers = Numbers.of(Dtype.of(layers.getFirst().a()));
    rank = ranks;
    in = Math.toIntExact(layers.getFirst().a().size(1));
    out = outs;
  }

  /// Copies matrices.
  ///
  /// @param layers of the projection
  /// @param lanes whether tokens side by side are multiplied, too
  public static LowRank of(List<Layer> layers, boolean lanes) {
    var a = layers.getFirst().a();
    boolean tiles = !lanes && Brgemm.here() && Dtype.BF16.is(a) && a.size(1) % 2 == 0;
    return tiles ? new BrgemmLowRank(layers) : new VectorLowRank(layers);
  }

  /// A's rows of all layers, copied: (R, in).
  static Tensor stacked(List<Layer> layers) {
    var all = new TensorVector();
    for (var layer : layers) all.push_back(layer.a());
    return torch.cat(all, 0);
  }

  /// Makes zeros of a row: nothing is made of it.
  ///
  /// @param outputs where the first row lies
  public final void clear(long outputs, int row) {
    numbers.clear(outputs + (long) numbers.bytes() * row * out, out);
  }

  /// Makes zeros of what nothing is made of: of layers that the adapter does not change.
  ///
  /// @param output where a row's begins
  final void clearRest(long output) {
    for (var place : places) {
      if (place.ranks() > 0) continue;
      numbers.clear(output + (long) numbers.bytes() * place.column(), place.outs());
    }
  }

  /// What they take.
  public abstract long bytes();

  /// How many rows of a batch one thread computes at once.
  abstract int together(int batch);

  /// Puts what it makes of some rows.
  ///
  /// @param inputs where the first row lies
  /// @param outputs where the first row's goes
  abstract void put(long inputs, long outputs, int[] rows);

  /// Puts what it makes of every row.
  ///
  /// @param input (N, in)
  /// @param output (N, out), whose rows follow each other
  public void putAll(Tensor input, Tensor output) {
    int rows = Math.toIntExact(input.size(0));
    var all = Share.of(this, IntStream.range(0, rows).toArray(), rows);
    put(all, Rows.at(input.contiguous()), Rows.at(output));
  }

  /// Rows of a batch that have the same adapter: one thread computes them at once, so that the
  /// matrices are read once.
  public record Share(LowRank of, int[] rows) {
    /// Shares of an adapter.
    ///
    /// @param rows of the batch that have it
    /// @param batch how many rows that has
    public static List<Share> of(LowRank adapter, int[] rows, int batch) {
      int each = adapter.together(batch);
      var shares = new ArrayList<Share>();
      for (int from = 0; from < rows.length; from += each) {
        var some = Arrays.copyOfRange(rows, from, Math.min(rows.length, from + each));
        shares.add(new Share(adapter, some));
      }
      return shares;
    }

    long work() {
      return (long) rows.length * of.rank * (of.in + of.out);
    }
  }

  /// Puts what their adapters make of rows.
  ///
  /// @param inputs where the input lies: (N, in)
  /// @param outputs where it goes, to the same rows: (N, out)
  public static void put(List<Share> shares, long inputs, long outputs) {
    var making = new Making(shares, inputs, outputs);
    Crew.device().run(shares.size(), making.work(), making::make);
  }

  /// What [WarmUp] has compiled of it.
  static void exercise(Dtype dtype, int times) {
    VectorLowRank.exercise(dtype, times);
    if (dtype == Dtype.BF16 && Brgemm.here()) BrgemmLowRank.exercise(times);
  }

  @Override
  public abstract void close();
}
