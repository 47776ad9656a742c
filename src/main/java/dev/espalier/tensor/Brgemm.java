package dev.espalier.tensor;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Products of a few bfloat16 rows with a panel of a matrix's rows by oneDNN's microkernel
/// (BRGEMM), on the calling thread and by the processor's tiles (AMX).
///
/// oneDNN's own products lay a matrix out anew in every call, which takes twice as long as reading
/// it; the microkernel reads one that was laid out once, as fast as the memory gives it.
final class Brgemm {
  /// Rows at once; with more, what a panel's columns are multiplied with leaves the cache.
  static final int ROWS = 64;

  private static final String NAMES = "_ZN2at6native7cpublas"; // of libtorch's at::native::cpublas
  private static final byte BFLOAT16 = 15; // as c10::ScalarType has it

  private static final boolean HERE = Processor.here().flags().contains("amx_bf16") && possible();

  private static final class Calls {
    static final MethodHandle MULTIPLY =
        call(
            "6brgemmEllllllbPKN3c108BFloat16ES5_Pfb",
            FunctionDescriptor.ofVoid(
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_BOOLEAN,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_BOOLEAN));
    static final MethodHandle RELEASE =
        call("14brgemm_releaseEb", FunctionDescriptor.ofVoid(ValueLayout.JAVA_BOOLEAN));
    static final MethodHandle POSSIBLE =
        call(
            "10could_packEN3c1010ScalarTypeE",
            FunctionDescriptor.of(ValueLayout.JAVA_BOOLEAN, ValueLayout.JAVA_BYTE));

    @SuppressWarnings("restricted") // the launcher and the manifest enable native access
    private static MethodHandle call(String name, FunctionDescriptor arguments) {
      Native.load();
      return Linker.nativeLinker()
          .downcallHandle(SymbolLookup.loaderLookup().findOrThrow(NAMES + name), arguments);
    }
  }

  private Brgemm() {}

  /// Whether this processor has tiles, and libtorch uses them.
  static boolean here() {
    return HERE;
  }

  /// Whether libtorch uses tiles.
  static boolean possible() {
    try {
      return (boolean) Calls.POSSIBLE.invokeExact(BFLOAT16);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /// Lays out a matrix: panels of so many of its rows beside each other, the first two numbers of
  /// each, then the next two. Even rows come first of each [Tiles#COLUMNS], as [Bfloat16#put]
  /// expects what is summed of them.
  ///
  /// @param matrix (out, length), out a multiple of `width`, length even
  /// @param width of a panel, a multiple of COLUMNS
  /// @return (out / width, length / 2, width), of pairs as integers
  static Tensor panels(Tensor matrix, int width) {
    var pairs = pairs(matrix);
    return pairs
        .view(-1, width / Tiles.COLUMNS, Tiles.COLUMNS / 2, 2, pairs.size(1))
        .permute(0, 4, 1, 3, 2)
        .contiguous();
  }

  /// Each two numbers of a row as one integer, which libtorch copies faster.
  static Tensor pairs(Tensor matrix) {
    return matrix.view(torch.ScalarType.Int);
  }

  /// How many rows must lie where so many are multiplied, with anything in the rest: oneDNN
  /// compiles a product for every number of rows that it meets.
  static int padded(int rows) {
    int step = rows <= 16 ? 4 : 8;
    return Math.ceilDiv(rows, step) * step;
  }

  /// Rows times a panel, in float32.
  ///
  /// The processor's tiles are the thread's until [#release].
  ///
  /// @param rows where the first begins
  /// @param count of them
  /// @param apart numbers from one row to the next
  /// @param length of each
  /// @param panel (length / 2, width, 2)
  /// @param product (count, width)
  /// @param next numbers from one of its rows to the next
  /// @param adds whether to what is there; else that is overwritten
  static void multiply(
      long rows,
      int count,
      int apart,
      int length,
      long panel,
      int width,
      long product,
      int next,
      boolean adds) {
    try {
      Calls.MULTIPLY.invokeExact(
          (long) count,
          (long) width,
          (long) length,
          (long) apart,
          (long) width,
          (long) next,
          adds,
          rows,
          panel,
          product,
          true); // in pairs
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /// Gives the tiles back, which libtorch's operators on this thread may want.
  static void release() {
    try {
      Calls.RELEASE.invokeExact(true);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  private static IllegalStateException failed(Throwable e) {
    return new IllegalStateException("libtorch's brgemm cannot be called", e);
  }
}
