package dev.espalier.tensor;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.bytedeco.pytorch.Tensor;

/// A matrix where it lies, or a part of one.
///
/// Products of float32 numbers are computed by OpenBLAS on the calling thread; with small ones
/// libtorch's calls, each of which makes a tensor, would take longer than the product. Those of
/// bfloat16 ones are float32, by [BrgemmProduct].
///
/// @param dtype of the numbers
/// @param at the address of the first number
/// @param rows how many
/// @param columns how many
/// @param apart numbers from one row to the next; of a transposed one from one column to the next
/// @param transposed whether columns follow each other instead of rows
public record Matrix(Dtype dtype, long at, int rows, int columns, int apart, boolean transposed) {
  /// Of cblas.h.
  private static final int ROW_MAJOR = 101;

  private static final int AS_IT_IS = 111;
  private static final int TRANSPOSED = 112;

  private static final class OpenBlas {
    static final MethodHandle SGEMM = sgemm();

    @SuppressWarnings("restricted") // the launcher and the manifest enable native access
    private static MethodHandle sgemm() {
      Native.load();
      var flag = ValueLayout.JAVA_INT;
      var size = ValueLayout.JAVA_INT;
      var number = ValueLayout.JAVA_FLOAT;
      var place = ValueLayout.JAVA_LONG;
      return Linker.nativeLinker()
          .downcallHandle(
              SymbolLookup.loaderLookup().findOrThrow("cblas_sgemm"),
              FunctionDescriptor.ofVoid(
                  flag, flag, flag, size, size, size, number, place, size, place, size, number,
                  place, size));
    }
  }

  /// Whether matrices of such numbers are multiplied here.
  public static boolean multiplies(Dtype dtype) {
    return dtype == Dtype.F32 || (dtype == Dtype.BF16 && BrgemmProduct.here());
  }

  /// A tensor's numbers, which it must outlive.
  ///
  /// @param tensor (n, m), whose rows or columns lie together
  public static Matrix of(Tensor tensor) {
    int rows = Math.toIntExact(tensor.size(0));
    int columns = Math.toIntExact(tensor.size(1));
    boolean transposed = tensor.stride(1) != 1 && columns > 1;
    if (transposed && tensor.stride(0) != 1 && rows > 1) {
      throw new IllegalArgumentException("not a matrix of numbers that lie together");
    }
    long apart =
        transposed ? Math.max(tensor.stride(1), rows) : Math.max(tensor.stride(0), columns);
    return new Matrix(
        Dtype.of(tensor), Rows.at(tensor), rows, columns, Math.toIntExact(apart), transposed);
  }

  /// A matrix whose rows follow each other.
  public static Matrix at(Dtype dtype, long at, int rows, int columns) {
    return new Matrix(dtype, at, rows, columns, columns, false);
  }

  /// Some of its rows.
  public Matrix rows(int from, int count) {
    return new Matrix(dtype, place(from, 0), count, columns, apart, transposed);
  }

  /// Some of its columns.
  public Matrix columns(int from, int count) {
    return new Matrix(dtype, place(0, from), rows, count, apart, transposed);
  }

  /// Its transpose, in the same place.
  public Matrix transpose() {
    return new Matrix(dtype, at, columns, rows, apart, !transposed);
  }

  /// The address of a number.
  public long place(int row, int column) {
    long skipped = transposed ? (long) column * apart + row : (long) row * apart + column;
    return at + dtype.bytes() * skipped;
  }

  /// Becomes a·b.
  public void set(Matrix a, Matrix b) {
    multiply(a, b, false);
  }

  /// Adds a·b.
  public void add(Matrix a, Matrix b) {
    multiply(a, b, true);
  }

  /// Adds a vector to every row; of one that is not transposed.
  public void add(float[] vector) {
    var numbers = Numbers.of(dtype);
    var row = new float[columns];
    for (int i = 0; i < rows; i++) {
      numbers.read(place(i, 0), row, columns);
      for (int j = 0; j < columns; j++) row[j] += vector[j];
      numbers.write(row, place(i, 0), columns);
    }
  }

  private void multiply(Matrix a, Matrix b, boolean adds) {
    if (transposed) {
      transpose().multiply(b.transpose(), a.transpose(), adds);
      return;
    }
    a.checkProduct(b, rows, columns);
    if (a.dtype != b.dtype || dtype != Dtype.F32 || !multiplies(a.dtype)) {
      throw new IllegalArgumentException(
          "products of %s and %s in %s are not computed here".formatted(a.dtype, b.dtype, dtype));
    }
    if (a.dtype == Dtype.BF16) BrgemmProduct.multiply(a, b, adds, this);
    else byOpenBlas(a, b, adds ? 1f : 0f);
  }

  /// @throws IllegalArgumentException if the product with another is not of that size
  void checkProduct(Matrix right, int rows, int columns) {
    if (this.rows == rows && right.columns == columns && this.columns == right.rows) return;
    throw new IllegalArgumentException(
        "(%d, %d) is not (%d, %d) times (%d, %d)"
            .formatted(rows, columns, this.rows, this.columns, right.rows, right.columns));
  }

  private void byOpenBlas(Matrix a, Matrix b, float kept) {
    try {
      OpenBlas.SGEMM.invokeExact(
          ROW_MAJOR, a.order(), b.order(), rows, columns, a.columns, 1f, a.at, a.apart, b.at,
          b.apart, kept, at, apart);
    } catch (Throwable e) {
      throw new IllegalStateException("OpenBLAS cannot be called", e);
    }
  }

  private int order() {
    return transposed ? TRANSPOSED : AS_IT_IS;
  }
}
