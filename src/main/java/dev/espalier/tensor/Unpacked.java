package dev.espalier.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.global.torch;

/// libtorch where an earlier process unpacked it.
///
/// JavaCPP compares each library with what its jars hold, and looks for two dozen of CUDA's that
/// are not there, every time: more than half of what loading takes. So a process that has loaded
/// them its way leaves a list of where they are.
final class Unpacked {
  private static final System.Logger LOG = System.getLogger(Unpacked.class.getName());

  /// What the others are found by, beside them.
  private static final List<String> FIRST = List.of("jnijavacpp", "jnitorch");

  /// JavaCPP's: whether its classes load libraries when they are first used.
  private static final String BY_JAVACPP = "org.bytedeco.javacpp.loadLibraries";

  private final Path list;

  /// @param cache JavaCPP's folder
  Unpacked(Path cache) {
    var jar = Path.of(torch.class.getProtectionDomain().getCodeSource().getLocation().getPath());
    list = cache.resolve("espalier-" + jar.getFileName() + ".libraries");
  }

  /// Where each of them is, a line each.
  Path list() {
    return list;
  }

  /// Loads the libraries.
  ///
  /// @return whether they are loaded
  @SuppressWarnings("restricted") // the launcher and the manifest enable native access
  boolean load() {
    if (!Files.exists(list)) return false;
    try {
      var paths = Files.readAllLines(list);
      System.setProperty(BY_JAVACPP, "false");
      for (var path : paths) System.load(path);
      return true;
    } catch (IOException | UnsatisfiedLinkError e) { // they were moved, or are no longer whole
      System.clearProperty(BY_JAVACPP);
      return false;
    }
  }

  /// Leaves the list, once JavaCPP has loaded them. Where there is no room for it the next process
  /// asks JavaCPP again.
  void remember() {
    var loaded = Loader.getLoadedLibraries();
    var paths = FIRST.stream().map(name -> Objects.requireNonNull(loaded.get(name), name)).toList();
    var part = list.resolveSibling(list.getFileName() + ".part"); // one process has the lock
    try {
      Files.write(part, paths);
      Files.move(part, list, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.WARNING, "cannot note where libtorch is, so starting stays slow", e);
    }
  }
}
