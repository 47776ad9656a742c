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
/// cores fight: a decode step of 3 ms takes 50. So OpenBLAS gets one thread. OpenMP's threads wait
/// for the next operator by spinning for a moment, since waking them costs more than most
/// operators, and then sleep, since an idle server should not burn a core. All this is set before
/// the first library loads.
///
/// The allocator keeps what training frees: given back to the kernel, every activation of every
/// step would be zeroed pages again.
final class Native {
  private static final int M_TRIM_THRESHOLD = -1; // as malloc.h has them
  private static final int M_MMAP_THRESHOLD = -3;
  private static final int M_ARENA_MAX = -8;

  private static boolean loaded;
  private static int cores;

  private Native() {}

  static synchronized void load() {
    if (loaded) return;
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      throw new IllegalStateException(
          "start Java with --add-modules jdk.incubator.vector, as ./espalier does");
    }
    setDefault("OPENBLAS_NUM_THREADS", "1");
    setDefault("GOMP_SPINCOUNT", "10000");
    keepFreedMemory();
    var cache = cache();
    var unpacked = new Unpacked(cache);
    if (!unpacked.load()) unpack(cache, unpacked);
    // "medium" may round float32 products to bfloat16, where the processor multiplies that faster.
    torch.globalContext().setFloat32MatmulPrecision("highest");
    cores = torch.get_num_threads();
    torch.set_num_threads(1); // for every thread that has not asked for more
    loaded = true;
  }

  /// Gives OpenMP's threads to the calling thread.
  ///
  /// Every thread that runs a parallel operator gets a pool of its own, and as soon as the pools
  /// together have more threads than there are cores, all of them stop spinning: training loses a
  /// fifth of its speed. So one thread has the cores, and operators on any other run alone.
  static void takeCores() {
    torch.set_num_threads(cores);
    var others = Thread.ofPlatform().start(() -> torch.set_num_threads(1)); // the default again
    try {
      others.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// How many threads the device has.
  static synchronized int cores() {
    load();
    return cores;
  }

  /// JavaCPP unpacks its natives into a cache that two fresh JVMs would corrupt between them.
  private static void unpack(Path cache, Unpacked unpacked) {
    try (var channel =
            FileChannel.open(
                cache.resolve("espalier.lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        var lock = channel.lock()) {
      Loader.load(torch.class);
      unpacked.remember();
      if (!lock.isValid()) throw new IllegalStateException("lost the lock of the native cache");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot lock the cache of native libraries", e);
    }
  }

  private static Path cache() {
    var cache = Path.of(System.getProperty("user.home"), ".javacpp");
    try {
      return Files.createDirectories(cache);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot create %s for native libraries: ESPALIER_JAVA_OPTS=-Duser.home=DIR moves it into DIR"
              .formatted(cache),
          e);
    }
  }

  /// Raises the sizes from which glibc maps memory apart and gives it back.
  @SuppressWarnings("restricted") // the launcher and the manifest enable native access
  private static void keepFreedMemory() {
    var linker = Linker.nativeLinker();
    var found = linker.defaultLookup().find("mallopt");
    if (found.isEmpty()) return; // not glibc
    var mallopt =
        linker.downcallHandle(
            found.get(),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    try {
      // an option that this glibc does not take costs speed and nothing else
      int _ = (int) mallopt.invokeExact(M_ARENA_MAX, 1);
      int _ = (int) mallopt.invokeExact(M_TRIM_THRESHOLD, 1 << 30);
      int _ = (int) mallopt.invokeExact(M_MMAP_THRESHOLD, 1 << 30);
    } catch (Throwable e) {
      throw new IllegalStateException("cannot set up the allocator before libtorch loads", e);
    }
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
