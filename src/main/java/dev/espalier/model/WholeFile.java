package dev.espalier.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Tensor;

/// A file of tensors that is there whole or not at all: it is written beside and moved into place.
final class WholeFile {
  /// What it holds.
  interface Content {
    void write(FileChannel out) throws IOException;
  }

  private WholeFile() {}

  /// @throws ModelException if it cannot be written
  static void write(Path file, Content content) {
    var beside = file.resolveSibling(file.getFileName() + ".part");
    try {
      try (var out =
          FileChannel.open(
              beside,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        content.write(out);
        out.force(true);
      }
      Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      throw new ModelException("cannot move " + beside + " into place on this file system", e);
    } catch (IOException e) {
      throw new ModelException("cannot write " + file + ": " + e.getMessage(), e);
    }
  }

  /// Writes a contiguous tensor's numbers as they lie.
  static void put(FileChannel out, Tensor tensor) throws IOException {
    long bytes = tensor.nbytes();
    if (bytes == 0) return;
    put(out, new BytePointer(tensor.data_ptr()).capacity(bytes).asByteBuffer());
  }

  static void put(FileChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) out.write(bytes);
  }
}
