package dev.espalier.cli;

import java.nio.file.Files;
import java.nio.file.Path;

/// A file that a command writes once its work is done.
final class OutputFile {
  private OutputFile() {}

  /// Refuses, before the work, one that could not be written after it.
  ///
  /// @param option names it on the command line
  /// @throws IllegalArgumentException if it is a folder, or has none that may be written to
  static void check(String option, Path file) {
    var folder = file.toAbsolutePath().getParent();
    if (folder == null || Files.isDirectory(file)) {
      throw new IllegalArgumentException("%s %s is a folder: name a file".formatted(option, file));
    }
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          "%s %s: there is no folder %s".formatted(option, file, folder));
    }
    if (!Files.isWritable(Files.exists(file) ? file : folder)) {
      throw new IllegalArgumentException(
          "%s %s cannot be written: name a file in a folder you may write to"
              .formatted(option, file));
    }
  }
}
