package dev.espalier.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// A row times a bfloat16 matrix, near the speed at which the matrix can be read.
///
/// This is what one stream waits for. oneDNN's products read at half of the memory's bandwidth
/// where there is one row; here two numbers are widened at a time, for a bfloat16 is the upper half
/// of a float32: the even ones shifted up, the odd ones with their neighbour masked out.
public final class RowProduct {
  private static final String MODULE = "jdk.incubator.vector";
  private static final boolean AVAILABLE = ModuleLayer.boot().findModule(MODULE).isPresent();

  private static final int ROWS = 4; // read side by side: four streams keep the memory busy
  private static final int BLOCK = 64; // rows that a thread takes at once

  private RowProduct() {}

  /// Whether it can be had: the process needs `--add-modules jdk.incubator.vector`, without which
  /// libtorch does it.
  public static boolean available() {
    return AVAILABLE;
  }

  /// Whether it computes this product: one row, bfloat16, and no gradient to record.
  ///
  /// @param row (…, in)
  /// @param matrix (out, in)
  public static boolean fits(Tensor row, Tensor matrix) {
    return AVAILABLE
        && row.numel() == row.size(-1)
        && Dtype.BF16.is(matrix)
        && Dtype.BF16.is(row)
        && matrix.size(0) % ROWS == 0
        && row.size(-1) % 2 == 0
        && matrix.is_contiguous()
        && row.is_contiguous()
        && !row.requires_grad()
        && !matrix.requires_grad();
  }

  /// The product, on the device's thread; summed in float32.
  ///
  /// @param row (…, in)
  /// @param matrix (out, in)
  /// @return (…, out), bfloat16
  public static Tensor of(Tensor row, Tensor matrix) {
    int in = Math.toIntExact(row.size(-1));
    int out = Math.toIntExact(matrix.size(0));
    var shape = row.sizes().vec().get();
    shape[shape.length - 1] = out;
    var product = torch.empty(shape, Dtype.BF16.options(), null);
    Vectors.multiply(
        matrix.data_ptr().address(),
        row.data_ptr().address(),
        product.data_ptr().address(),
        out,
        in);
    return product;
  }

  /// Apart from the rest, so that nothing needs the module that is not there.
  private static final class Vectors {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> PAIRS = IntVector.SPECIES_PREFERRED;
    private static final int STEP = PAIRS.length();
    private static final int UPPER = 0xFFFF0000;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    @SuppressWarnings("restricted") // the launcher and the manifest enable native access
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private static final Crew CREW = new Crew(Native.cores());
    private static float[] even = new float[0]; // on the device's thread until the crew begins
    private static float[] odd = new float[0];

    static void multiply(long matrix, long row, long product, int out, int in) {
      int pairs = in / 2;
      if (even.length < pairs) {
        even = new float[pairs];
        odd = new float[pairs];
      }
      for (int i = 0; i < pairs; i++) {
        int two = MEMORY.get(ValueLayout.JAVA_INT_UNALIGNED, row + 4L * i);
        even[i] = Float.intBitsToFloat(two << 16);
        odd[i] = Float.intBitsToFloat(two & UPPER);
      }
      var evens = even;
      var odds = odd;
      CREW.run(
          (out + BLOCK - 1) / BLOCK,
          block -> {
            int to = Math.min(out, (block + 1) * BLOCK);
            for (int r = block * BLOCK; r < to; r += ROWS) {
              four(matrix + 2L * r * in, 2L * in, evens, odds, pairs, product + 2L * r);
            }
          });
    }

    /// Four rows of the matrix, that many bytes apart.
    private static void four(
        long at, long apart, float[] even, float[] odd, int pairs, long product) {
      var a = FloatVector.zero(FLOATS);
      var b = a;
      var c = a;
      var d = a;
      var e = a;
      var f = a;
      var g = a;
      var h = a;
      int i = 0;
      for (; i <= pairs - STEP; i += STEP) {
        var x = FloatVector.fromArray(FLOATS, even, i);
        var y = FloatVector.fromArray(FLOATS, odd, i);
        var one = IntVector.fromMemorySegment(PAIRS, MEMORY, at + 4L * i, ORDER);
        var two = IntVector.fromMemorySegment(PAIRS, MEMORY, at + apart + 4L * i, ORDER);
        var three = IntVector.fromMemorySegment(PAIRS, MEMORY, at + 2 * apart + 4L * i, ORDER);
        var four = IntVector.fromMemorySegment(PAIRS, MEMORY, at + 3 * apart + 4L * i, ORDER);
        a = one.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x, a);
        b = one.and(UPPER).reinterpretAsFloats().fma(y, b);
        c = two.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x, c);
        d = two.and(UPPER).reinterpretAsFloats().fma(y, d);
        e = three.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x, e);
        f = three.and(UPPER).reinterpretAsFloats().fma(y, f);
        g = four.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x, g);
        h = four.and(UPPER).reinterpretAsFloats().fma(y, h);
      }
      store(product, sum(a, b) + rest(at, even, odd, i, pairs));
      store(product + 2, sum(c, d) + rest(at + apart, even, odd, i, pairs));
      store(product + 4, sum(e, f) + rest(at + 2 * apart, even, odd, i, pairs));
      store(product + 6, sum(g, h) + rest(at + 3 * apart, even, odd, i, pairs));
    }

    private static float sum(FloatVector one, FloatVector other) {
      return one.add(other).reduceLanes(VectorOperators.ADD);
    }

    /// What does not fill a vector.
    private static float rest(long at, float[] even, float[] odd, int from, int pairs) {
      float sum = 0;
      for (int i = from; i < pairs; i++) {
        int two = MEMORY.get(ValueLayout.JAVA_INT_UNALIGNED, at + 4L * i);
        sum += Float.intBitsToFloat(two << 16) * even[i];
        sum += Float.intBitsToFloat(two & UPPER) * odd[i];
      }
      return sum;
    }

    /// As the nearest bfloat16, the even one of two.
    private static void store(long at, float number) {
      int bits = Float.floatToRawIntBits(number);
      int rounded = (bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16;
      if (Float.isNaN(number)) rounded = bits >>> 16 | 0x40;
      MEMORY.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) rounded);
    }
  }
}
