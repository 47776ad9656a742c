package dev.espalier.tensor;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// Products of a few bfloat16 rows with a panel of columns by oneDNN's microkernel (BRGEMM), on the
/// calling thread and by the processor's tiles (AMX).
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

  /// Overwrites `product` with rows · a panel of [Tiles#COLUMNS] columns, in float32.
  ///
  /// The processor's tiles are the thread's until [#release].
  ///
  /// @param rows (count, length), which follow each other
  /// @param panel (length / 2, COLUMNS, 2): the columns' numbers in pairs
  /// @param product (count, COLUMNS)
  static void multiply(long rows, int count, int length, long panel, long product) {
    try {
      Calls.MULTIPLY.invokeExact(
          (long) count,
          (long) Tiles.COLUMNS,
          (long) length,
          (long) length,
          (long) Tiles.COLUMNS,
          (long) Tiles.COLUMNS,
          false, // adds to nothing
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

  /// Copies a product to an array.
  static void read(long product, float[] to, int count) {
    MemorySegment.copy(
        Numbers.MEMORY, ValueLayout.JAVA_FLOAT, product, to, 0, count * Tiles.COLUMNS);
  }

  private static IllegalStateException failed(Throwable e) {
    return new IllegalStateException("libtorch's brgemm cannot be called", e);
  }
}
