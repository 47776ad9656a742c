package dev.espalier.tensor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.global.torch;

/// Loads libtorch once, with its thread pools settled before they exist.
///
/// OpenMP (libtorch, oneDNN) and OpenBLAS each start a pool of their own, and two pools on the same
/// cores fight: a decode step of 3 ms takes 50. So OpenBLAS gets one thread, and the variables are
/// set before the first library loads.
final class Native {
  private static boolean loaded;

  private Native() {}

  static synchronized void load() {
    if (loaded) return;
    setDefault("OPENBLAS_NUM_THREADS", "1");
    setDefault("OMP_WAIT_POLICY", "passive");
    // JavaCPP unpacks its natives into a cache that two fresh JVMs would corrupt between them.
    try (var channel =
            FileChannel.open(lockFile(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        var lock = channel.lock()) {
      Loader.load(torch.class);
      if (!lock.isValid()) throw new IllegalStateException("lost the lock of the native cache");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot lock the cache of native libraries", e);
    }
    // "medium" sends float32 products to oneDNN; on processors without bf16 matrix units it stays
    // true float32.
    torch.globalContext().setFloat32MatmulPrecision("highest");
    loaded = true;
  }

  private static Path lockFile() throws IOException {
    var cache = Path.of(System.getProperty("user.home"), ".javacpp");
    Files.createDirectories(cache);
    return cache.resolve("espalier.lock");
  }

  @SuppressWarnings("restricted") // the launcher and the manifest enable native access
  private static void setDefault(String name, String value) {
    if (System.getenv(name) != null) return;
    var linker = Linker.nativeLinker();
    var setenv =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("setenv"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT));
    try (var arena = Arena.ofConfined()) {
      int status = (int) setenv.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), 0);
      if (status != 0) throw new IllegalStateException("setenv of " + name + " failed");
    } catch (Throwable e) {
      throw new IllegalStateException("cannot set " + name + " before libtorch loads", e);
    }
  }
}
