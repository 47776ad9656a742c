package dev.espalier.tensor;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
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

  /// The same and what is added before it is rounded. Where libtorch multiplies 16-bit numbers, a
  /// product with a bias is rounded before that, too.
  ///
  /// @param bias (out); null for none
  /// @param more (rows of x, out), contiguous; it may be overwritten
  public static Tensor linear(Tensor x, Tensor weight, @Nullable Tensor bias, Tensor more) {
    var shape = x.sizes().vec().get();
    shape[shape.length - 1] = weight.size(0);
    var rows = x.reshape(-1, x.size(-1));
    if (Dtype.F32.is(x)) {
      var sum = addmm(more, rows, weight.t());
      return (bias == null ? sum : sum.add_(bias)).view(shape);
    }
    if (BrgemmProduct.takes(rows, weight)) {
      var out = torch.empty(new long[] {rows.size(0), weight.size(0)}, Dtype.BF16.options(), null);
      BrgemmProduct.of(rows, weight.t()).into(bias, more, out);
      return out.view(shape);
    }
    if (bias == null) return more.addmm_(rows, weight.t()).view(shape);
    return torch.linear(x, weight, new TensorOptional(bias)).add_(more.view(shape));
  }

  /// a·b on the device's thread.
  ///
  /// @param a (n, k)
  /// @param b (k, m)
  /// @return (n, m)
  public static Tensor mm(Tensor a, Tensor b) {
    if (Dtype.F32.is(a)) return wide(a, b);
    var out = torch.empty(new long[] {a.size(0), b.size(1)}, Dtype.of(a).options(), null);
    put(a, b, out);
    return out;
  }

  /// Adds a·b to a sum in place, in float32, on the device's thread.
  ///
  /// @param sum (n, m)
  /// @param a (n, k)
  /// @param b (k, m)
  /// @return the sum
  static Tensor addmm(Tensor sum, Tensor a, Tensor b) {
    share(a, b, sum, (one, other, some) -> some.add(one, other));
    return sum;
  }

  /// Puts a·b of 16-bit numbers where there is room for it, on the device's thread.
  ///
  /// @param a (n, k)
  /// @param b (k, m)
  /// @param out (n, m), contiguous
  public static void put(Tensor a, Tensor b, Tensor out) {
    if (BrgemmProduct.takes(a, b)) BrgemmProduct.of(a, b).into(null, null, out);
    else torch.mm_out(out, a, b);
  }

  /// The same of a·b + c·d, rounded once: what is far less than a·b would else be lost.
  ///
  /// @param a (n, k)
  /// @param b (k, m)
  /// @param c (n, l)
  /// @param d (l, m)
  /// @param out (n, m), contiguous
  public static void put(Tensor a, Tensor b, Tensor c, Tensor d, Tensor out) {
    if (BrgemmProduct.takes(a, b) && BrgemmProduct.takes(c, d)) {
      BrgemmProduct.of(a, b, c, d).into(null, null, out);
    } else {
      boolean rows = b.stride(1) == 1;
      var right = rows ? cat(0, b, d) : cat(1, b.t(), d.t()).t();
      torch.mm_out(out, cat(1, a, c), right);
    }
  }

  private static Tensor cat(int along, Tensor one, Tensor other) {
    return torch.cat(new TensorVector(one, other), along);
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
