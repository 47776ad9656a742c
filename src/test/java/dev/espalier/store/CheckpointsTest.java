package dev.espalier.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Execution(ExecutionMode.CONCURRENT)
class CheckpointsTest {
  private static final int MOST = 20_000; // commits
  private static final long PAGE = 4096;

  @TempDir private Path dir;

  @Test
  void theLogBeginsAnewThoughTheWriterNeverRests() throws Exception {
    var file = dir.resolve("espalier.db");
    Database.create(file);
    var writer = new Writer(file, Durability.PROCESS, null);
    var insert = new CaptureInsert();
    try (var _ = new Checkpoints(file, writer, Duration.ofMillis(10), 100)) {
      int commits = 0;
      int first = -1;
      for (; commits < MOST && (first < 0 || logs() == first); commits++) {
        var record = Captured.request("r" + commits, "gpt", Instant.EPOCH, Map.of());
        writer.run(connection -> insert.run(connection, record, null));
        if (first < 0) first = logs();
      }
      assertThat(commits).isLessThan(MOST);
    } finally {
      writer.close(Duration.ofSeconds(10));
    }
  }

  /// How often the log began anew: a big-endian number in its header.
  private int logs() throws IOException {
    var log = dir.resolve("espalier.db-wal");
    if (Files.size(log) < 32) return -1;
    try (var file = new RandomAccessFile(log.toFile(), "r")) {
      file.seek(12);
      return file.readInt();
    }
  }

  @Test
  void whatWasCommittedReachesTheFileWhileTheStoreIsOpen() throws Exception {
    try (var store = Store.open(dir, Durability.PROCESS)) {
      var random = new Random(1);
      long empty = Files.size(dir.resolve("espalier.db"));
      for (int i = 0; i < 200; i++) {
        var record = Captured.request("r" + i, "gpt", Instant.EPOCH, Map.of());
        var stream = new byte[4096];
        random.nextBytes(stream); // which cannot be packed
        store.capture(record, stream).join();
      }
      for (int i = 0; Files.size(dir.resolve("espalier.db")) < empty + 100 * PAGE; i++) {
        assertThat(i).as("tenths of a second").isLessThan(300);
        Thread.sleep(100);
      }
    }
  }
}
