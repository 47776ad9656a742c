package dev.espalier.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;

/// A folder that is there whole or not at all: it is written beside and moved into place.
public final class WholeFolder {
  /// What it holds.
  public interface Content {
    void write(Path folder) throws IOException;
  }

  private WholeFolder() {}

  /// @param folder replaces what is there
  public static void write(Path folder, Content content) throws IOException {
    var beside = folder.resolveSibling(folder.getFileName() + ".part");
    delete(beside);
    try {
      Files.createDirectories(beside);
      content.write(beside);
      delete(folder);
      Files.move(beside, folder, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      delete(beside);
    }
  }

  /// Deletes a folder and what is in it, if it is there.
  public static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) return;
    try (var files = Files.walk(folder)) {
      for (var file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}
