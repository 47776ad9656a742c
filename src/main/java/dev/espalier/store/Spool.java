package dev.espalier.store;

import dev.espalier.chat.Json;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/// Captured requests on their way into the database, in files that outlive the process: who waits
/// for a record to be safe waits for an append, and the writer commits many at once.
///
/// Two files take turns. One takes what comes while what the other took is committed; then that one
/// is emptied. Both are locked as long as their process lives: what one that died left behind is
/// read by the next that opens the store.
final class Spool {
  private static final System.Logger LOG = System.getLogger(Spool.class.getName());
  private static final String SUFFIX = ".spool";
  private static final int HEADER = 16; // a record's number, its length and its CRC-32

  /// Those of this process, which it must not even open: closing a file gives up all its locks.
  private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

  /// @param packed the raw stream, deflated; null without one
  record Entry(CapturedRequest request, byte @Nullable [] packed) {}

  private record Numbered(long number, Entry entry) {}

  private final Path dir;
  private final List<Path> paths = new ArrayList<>();
  private final List<RandomAccessFile> files = new ArrayList<>();
  private int taking;
  private long count;
  private boolean failed;

  /// @param dir the store's folder; the files are made there when the first record comes
  Spool(Path dir) {
    this.dir = named(dir);
  }

  private static Path named(Path dir) {
    return dir.toAbsolutePath().normalize();
  }

  /// A record as it is appended.
  static byte[] encoded(CapturedRequest request, byte @Nullable [] packed) {
    return Json.MAPPER.writeValueAsBytes(new Entry(request, packed));
  }

  /// Appends a record; whether it is safe now. A disk that takes no more is said once, and records
  /// are safe when they are committed then.
  synchronized boolean append(byte[] encoded) {
    if (failed) return false;
    try {
      if (files.isEmpty()) create();
      var file = files.get(taking);
      long before = file.getFilePointer();
      try {
        file.write(numbered(count++, encoded));
        return true;
      } catch (IOException e) {
        file.setLength(before); // half a record would hide those after it
        throw e;
      }
    } catch (IOException e) {
      failed = true;
      LOG.log(System.Logger.Level.WARNING, "requests wait to be committed from now on: {0}", e);
      return false;
    }
  }

  private void create() throws IOException {
    for (int i = 0; i < 2; i++) {
      var fresh = Files.createTempFile(dir, "captured-", ".new");
      var file = new RandomAccessFile(fresh.toFile(), "rw");
      if (file.getChannel().tryLock() == null) throw new IOException("cannot lock " + fresh);
      var path = Path.of(fresh.toString().replaceFirst("[.]new$", SUFFIX));
      OWN.add(path);
      paths.add(path);
      Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE); // locked: nobody takes it over
      files.add(file);
    }
  }

  private static byte[] numbered(long number, byte[] encoded) {
    return ByteBuffer.allocate(HEADER + encoded.length)
        .putLong(number)
        .putInt(encoded.length)
        .putInt(crc(encoded))
        .put(encoded)
        .array();
  }

  private static int crc(byte[] bytes) {
    var crc = new CRC32();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  /// Lets the other file take what comes from now on.
  ///
  /// @return the one that took what came until now
  synchronized int turn() {
    int full = taking;
    taking = 1 - taking;
    return full;
  }

  /// Empties a file, all of which is in the database.
  void empty(int full) {
    try {
      var file = file(full);
      if (file != null) file.setLength(0);
    } catch (IOException e) {
      // what is read from it again replaces what it became
      LOG.log(System.Logger.Level.WARNING, "cannot empty {0}: {1}", paths.get(full), e);
    }
  }

  private synchronized @Nullable RandomAccessFile file(int number) {
    return files.isEmpty() ? null : files.get(number);
  }

  /// Hands over what processes that died have left in a folder, in order, and deletes it once all
  /// of it was taken.
  static void takeOver(Path dir, Consumer<List<Entry>> taker) {
    var left = new LinkedHashMap<Path, RandomAccessFile>();
    try (var found = Files.list(named(dir))) {
      for (var path : found.filter(Spool::isAnothers).toList()) {
        var file = locked(path);
        if (file != null) left.put(path, file);
      }
      var records = new ArrayList<Numbered>();
      for (var one : left.entrySet()) records.addAll(records(one.getKey(), one.getValue()));
      records.sort(Comparator.comparingLong(Numbered::number)); // of one's two files
      if (!records.isEmpty()) taker.accept(records.stream().map(Numbered::entry).toList());
      for (var path : left.keySet()) Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new StoreException("cannot read what was captured last in " + dir, e);
    } finally {
      left.values().forEach(Spool::close);
    }
  }

  private static boolean isAnothers(Path path) {
    return path.toString().endsWith(SUFFIX) && !OWN.contains(path);
  }

  /// A file whose owner is dead; null if it lives, or if another takes it over just now.
  private static @Nullable RandomAccessFile locked(Path path) throws IOException {
    RandomAccessFile file;
    try {
      file = new RandomAccessFile(path.toFile(), "rw");
    } catch (FileNotFoundException taken) {
      return null;
    }
    try {
      if (file.getChannel().tryLock() != null) return file;
    } catch (OverlappingFileLockException taken) {
      // by another store of this process
    }
    close(file);
    return null;
  }

  /// The records of a file up to the first that is not whole, which nobody was told is safe.
  private static List<Numbered> records(Path path, RandomAccessFile file) throws IOException {
    var bytes = new byte[Math.toIntExact(file.length())];
    file.readFully(bytes);
    var out = new ArrayList<Numbered>();
    var in = ByteBuffer.wrap(bytes);
    while (in.remaining() >= HEADER) {
      long number = in.getLong();
      int length = in.getInt();
      int crc = in.getInt();
      if (length < 0 || length > in.remaining()) break;
      var encoded = new byte[length];
      in.get(encoded);
      if (crc(encoded) != crc) break;
      try {
        out.add(new Numbered(number, Json.MAPPER.readValue(encoded, Entry.class)));
      } catch (JacksonException e) {
        throw new StoreException(
            "%s has captured requests of another version: take it away to start without them"
                .formatted(path),
            e);
      }
    }
    return out;
  }

  private static void close(RandomAccessFile file) {
    try {
      file.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// @param all whether all is in the database; what is not waits for the next that opens it
  synchronized void close(boolean all) {
    failed = true;
    try {
      for (var path : paths) if (all) Files.deleteIfExists(path);
      files.forEach(Spool::close);
    } catch (IOException e) {
      throw new StoreException("cannot delete " + paths, e);
    } finally {
      OWN.removeAll(paths);
    }
  }
}
