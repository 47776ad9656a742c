package dev.espalier.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.sqlite.SQLiteJDBCLoader;
import org.sqlite.util.LibraryLoaderUtil;

/// Unpacks SQLite's native library once for all processes; the driver would unpack it at every
/// start, which takes as long as opening a store does otherwise.
final class SqliteLibrary {
  private SqliteLibrary() {}

  /// Before the driver's first connection. Where nothing can be written, the driver helps itself.
  static synchronized void unpack() {
    if (System.getProperty("org.sqlite.lib.path") != null) return;
    var folder = Path.of(System.getProperty("user.home"), ".cache", "espalier");
    var name = LibraryLoaderUtil.getNativeLibName();
    var file = folder.resolve("sqlite-" + SQLiteJDBCLoader.getVersion()).resolve(name);
    try {
      if (!Files.exists(file)) copy(file);
    } catch (IOException e) {
      return;
    }
    System.setProperty("org.sqlite.lib.path", String.valueOf(file.getParent()));
    System.setProperty("org.sqlite.lib.name", name);
  }

  private static void copy(Path file) throws IOException {
    var resource = LibraryLoaderUtil.getNativeLibResourcePath() + "/" + file.getFileName();
    try (var in = SQLiteJDBCLoader.class.getResourceAsStream(resource)) {
      if (in == null) throw new IOException("no " + resource);
      Files.createDirectories(file.getParent());
      var part = Files.createTempFile(file.getParent(), "part", ".so");
      try {
        Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE); // others may be at it, too
      } finally {
        Files.deleteIfExists(part);
      }
    }
  }
}
