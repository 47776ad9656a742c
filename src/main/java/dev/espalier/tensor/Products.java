package dev.espalier.tensor;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Matrix products on all of the device's threads, of which no gradient is recorded.
///
/// In 16 bit libtorch's oneDNN shares a product among OpenMP's threads, and those that go where
/// there is room for them already are [BrgemmProduct]'s where the processor has tiles. In float32
/// libtorch calls OpenBLAS, which has one thread here ([Native] says why), so the crew's threads
/// take a part of the product each.
public final class Products {
  private static final long WORTH = 1 << 20; // multiplications of a part

  private Products() {}

  /// x·Wᵀ on the device's thread.
  ///
  /// @param x (…, in)
  /// @param weight (out, in), of the same type
  /// @return (…, out)
  public static Tensor linear(Tensor x, Tensor weight) {
    if (!Dtype.F32.is(x)) return torch.linear(x, weight);
    var shape = x.sizes().vec().get();
    shape[shape.length - 1] = weight.size(0);
    return mm(x.reshape(-1, x.size(-1)), weight.t()).view(shape);
  }

  /// The same and what is added before it is rounded; where libtorch multiplies 16-bit numbers, a
  /// bias after that.
  ///
  /// @param bias (out); null for none
  /// @param more (rows of x, out), contiguous; it becomes the sum
  public static Tensor linear(Tensor x, Tensor weight, @Nullable Tensor bias, Tensor more) {
    var shape = x.sizes().vec().get();
    shape[shape.length - 1] = weight.size(0);
    addProduct(x.reshape(-1, x.size(-1)), weight.t(), bias, more);
    return more.view(shape);
  }

  /// a·b on the device's thread.
  ///
  /// @param a (n, k)
  /// @param b (k, m)
  /// @return (n, m)
  public static Tensor mm(Tensor a, Tensor b) {
    if (Dtype.F32.is(a)) return wide(a, b);
    var out = torch.empty(new long[] {a.size(0), b.size(1)}, Dtype.of(a).options(), null);
    put(a, b, null, out);
    return out;
  }

  /// Puts a·b of 16-bit numbers where there is room for it, on the device's thread.
  ///
  /// @param a (n, k)
  /// @param b (k, m)
  /// @param bias (m), which is added to each row; null for none
  /// @param out (n, m), contiguous
  public static void put(Tensor a, Tensor b, @Nullable Tensor bias, Tensor out) {
    if (BrgemmProduct.takes(a, b)) BrgemmProduct.of(a, b).into(bias, null, out);
    else if (bias == null) torch.mm_out(out, a, b);
    else torch.addmm_out(out, bias, a, b);
  }

  /// The same of a·b + c·d, where c·d may be far less than a·b: it is added before that is rounded,
  /// or else would be lost.
  ///
  /// @param a (n, k)
  /// @param b (k, m)
  /// @param c (n, l)
  /// @param d (l, m)
  /// @param bias (m), which is added to each row; null for none
  /// @param out (n, m), contiguous
  public static void put(
      Tensor a, Tensor b, Tensor c, Tensor d, @Nullable Tensor bias, Tensor out) {
    if (BrgemmProduct.takes(a, b) && BrgemmProduct.takes(c, d)) {
      BrgemmProduct.of(a, b, c, d).into(bias, null, out);
      return;
    }
    torch.mm_out(out, c, d);
    addProduct(a, b, bias, out);
  }

  /// Adds a·b and a bias to a sum. libtorch adds what is there before it rounds a product of 16-bit
  /// numbers, and a bias to what was rounded.
  private static void addProduct(Tensor a, Tensor b, @Nullable Tensor bias, Tensor sum) {
    if (BrgemmProduct.takes(a, b)) {
      BrgemmProduct.of(a, b).into(bias, sum, sum);
      return;
    }
    if (Dtype.F32.is(a)) share(a, b, sum, (one, other, some) -> some.add(one, other));
    else sum.addmm_(a, b);
    if (bias != null) sum.add_(bias);
  }

  /// a·b in float32, on the device's thread; in 16 bit summed so, and rounded where libtorch
  /// multiplies.
  ///
  /// @param a (n, k)
  /// @param b (k, m), of the same type
  /// @return (n, m)
  public static Tensor wide(Tensor a, Tensor b) {
    if (!Dtype.F32.is(a) && !BrgemmProduct.takes(a, b))
      return torch.mm(a, b).to(Dtype.F32.scalar());
    var out = torch.empty(new long[] {a.size(0), b.size(1)}, Dtype.F32.options(), null);
    share(a, b, out, (one, other, some) -> some.set(one, other));
    return out;
  }

  private interface Part {
    void compute(Matrix a, Matrix b, Matrix out);
  }

  /// Cuts a product along the longer side of its result.
  private static void share(Tensor a, Tensor b, Tensor out, Part part) {
    var left = Matrix.of(a);
    var right = Matrix.of(b);
    var all = Matrix.of(out);
    long work = (long) left.rows() * left.columns() * right.columns();
    boolean wide = all.columns() > all.rows();
    int length = wide ? all.columns() : all.rows();
    int parts = (int) Math.clamp(work / WORTH, 1, Math.min(length, 2L * Native.cores()));
    Crew.device()
        .run(
            parts,
            i -> {
              int from = (int) ((long) length * i / parts);
              int count = (int) ((long) length * (i + 1) / parts) - from;
              if (wide) part.compute(left, right.columns(from, count), all.columns(from, count));
              else part.compute(left.rows(from, count), right, all.rows(from, count));
            });
  }
}
