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
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
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
/// is emptied, or left behind if the writer had no room for a record in it. Both are locked as long
/// as their process lives: what one that died left behind is read by the next that opens the store.
final class Spool {
  private static final System.Logger LOG = System.getLogger(Spool.class.getName());
  private static final String SUFFIX = ".spool";
  private static final Duration PAUSE = Duration.ofSeconds(10);
  private static final long LARGEST = 1 << 30; // bytes of a file, which is read at once
  private static final int HEADER = 16; // a record's number, its length and its CRC-32

  /// Those of this process, which it must not even open: closing a file gives up all its locks.
  private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

  /// @param packed the raw stream, deflated; null without one
  record Entry(CapturedRequest request, byte @Nullable [] packed) {}

  private record Numbered(long number, Entry entry) {}

  /// A file and its lock.
  private static final class Segment {
    final Path path;
    final RandomAccessFile file;
    private long end; // of its records, as far as they were written here
    private boolean kept; // for one that the writer had no room for

    Segment(Path path, RandomAccessFile file) {
      this.path = path;
      this.file = file;
    }

    /// What is left of one that could not be appended is overwritten by the next.
    void append(byte[] record) throws IOException {
      file.seek(end);
      file.write(record);
      end += record.length;
    }

    /// Forgets its records; where that fails, those that are read again replace what they became.
    void empty() {
      end = 0;
      try {
        file.setLength(0);
      } catch (IOException e) {
        LOG.log(System.Logger.Level.WARNING, "cannot empty {0}: {1}", path, e);
      }
    }

    void close() {
      try {
        file.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private final Path dir;
  private final List<Segment> segments = new ArrayList<>(); // two, once there is a record
  private final Duration pause;
  private int taking;
  private long count;
  private boolean failed;
  private long retry; // when it is tried again, in System.nanoTime()
  private boolean closed;

  /// @param dir the store's folder; the files are made there when the first record comes
  Spool(Path dir) {
    this(dir, PAUSE);
  }

  /// @param pause how long nothing is appended after that failed
  Spool(Path dir, Duration pause) {
    this.dir = named(dir);
    this.pause = pause;
  }

  private static Path named(Path dir) {
    return dir.toAbsolutePath().normalize();
  }

  /// A record as it is appended.
  static byte[] encoded(CapturedRequest request, byte @Nullable [] packed) {
    return Json.MAPPER.writeValueAsBytes(new Entry(request, packed));
  }

  /// Appends a record; whether it is safe now. Where the disk takes no more, which is said once,
  /// records are safe when they are committed, until it takes one again.
  synchronized boolean append(byte[] encoded) {
    if (closed || (failed && System.nanoTime() - retry < 0)) return false;
    try {
      create();
      var segment = segments.get(taking);
      if (segment.end + encoded.length > LARGEST) return false;
      segment.append(numbered(count++, encoded));
      failed = false;
      return true;
    } catch (IOException e) {
      if (!failed) LOG.log(System.Logger.Level.WARNING, "requests wait to be committed: {0}", e);
      failed = true;
      retry = System.nanoTime() + pause.toNanos();
      return false;
    }
  }

  private void create() throws IOException {
    while (segments.size() < 2) {
      var fresh = Files.createTempFile(dir, "captured-", ".new");
      var file = new RandomAccessFile(fresh.toFile(), "rw");
      try {
        if (file.getChannel().tryLock() == null) throw new IOException("cannot lock " + fresh);
        var path = Path.of(fresh.toString().replaceFirst("[.]new$", SUFFIX));
        OWN.add(path);
        Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE); // locked: nobody takes it over
        segments.add(new Segment(path, file));
      } catch (IOException e) {
        file.close();
        Files.deleteIfExists(fresh);
        throw e;
      }
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
  /// @return empties the one that took what came until now, once all of that is in the database, or
  ///   leaves it behind for what the writer had no room for
  synchronized Runnable turn() {
    if (segments.size() < 2) return () -> {};
    var full = segments.get(taking);
    taking = 1 - taking;
    return full.kept ? () -> leave(full) : full::empty;
  }

  /// Gives a file up for the next that opens the store.
  private synchronized void leave(Segment segment) {
    if (closed) return;
    segments.remove(segment);
    taking = 0; // the other
    try {
      segment.file.close();
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "cannot close {0}: {1}", segment.path, e);
    }
    OWN.remove(segment.path);
  }

  /// Keeps the record that was appended last, which the writer has no room for.
  synchronized void keep() {
    if (!segments.isEmpty()) segments.get(taking).kept = true;
  }

  /// Hands over what processes that died have left in a folder, in order, and deletes it once all
  /// of it was taken.
  static void takeOver(Path dir, Consumer<List<Entry>> taker) {
    var left = new ArrayList<Segment>();
    try (var found = Files.list(named(dir))) {
      for (var path : found.filter(Spool::isAnothers).toList()) {
        var segment = locked(path);
        if (segment != null) left.add(segment);
      }
      var records = new ArrayList<Numbered>();
      for (var segment : left) records.addAll(records(segment));
      records.sort(Comparator.comparingLong(Numbered::number)); // of one's two files
      if (!records.isEmpty()) taker.accept(records.stream().map(Numbered::entry).toList());
      for (var segment : left) Files.deleteIfExists(segment.path);
    } catch (IOException e) {
      throw new StoreException("cannot read what was captured last in " + dir, e);
    } finally {
      left.forEach(Segment::close);
    }
  }

  private static boolean isAnothers(Path path) {
    return path.toString().endsWith(SUFFIX) && !OWN.contains(path);
  }

  /// A file whose owner is dead; null if it lives, or if another takes it over just now.
  private static @Nullable Segment locked(Path path) throws IOException {
    Segment segment;
    try {
      segment = new Segment(path, new RandomAccessFile(path.toFile(), "rw"));
    } catch (FileNotFoundException taken) {
      return null;
    }
    try {
      if (segment.file.getChannel().tryLock() != null) return segment;
    } catch (OverlappingFileLockException taken) {
      // by another store of this process
    }
    segment.close();
    return null;
  }

  /// The records of a file up to the first that is not whole, which nobody was told is safe.
  private static List<Numbered> records(Segment segment) throws IOException {
    var bytes = new byte[Math.toIntExact(segment.file.length())];
    segment.file.readFully(bytes);
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
                .formatted(segment.path),
            e);
      }
    }
    return out;
  }

  /// @param all whether all is in the database; what is not waits for the next that opens it
  synchronized void close(boolean all) {
    closed = true;
    try {
      for (var segment : segments) {
        if (all && !segment.kept) Files.deleteIfExists(segment.path);
      }
      segments.forEach(Segment::close);
    } catch (IOException e) {
      throw new StoreException("cannot delete what was spooled in " + dir, e);
    } finally {
      for (var segment : segments) OWN.remove(segment.path);
    }
  }
}
