package dev.espalier.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FullDiskTest {
  @TempDir private Path dir;

  private final CaptureInsert insert = new CaptureInsert();

  @Test
  void failsWhatDoesNotFitAndGoesOnOnceThereIsRoom() {
    var file = dir.resolve("espalier.db");
    Database.create(file);
    var writer = new Writer(file, Durability.PROCESS, null);
    limit(writer, 100);
    var commits = IntStream.range(0, 20).mapToObj(i -> insert(writer, "a" + i, 50_000)).toList();
    var outcomes = commits.stream().map(commit -> commit.handle((done, e) -> e == null).join());
    assertThat(outcomes).contains(true, false);
    assertThatThrownBy(() -> insert(writer, "more", 500_000).join())
        .isInstanceOf(CompletionException.class)
        .hasMessageContaining("full");
    limit(writer, 1_000_000);
    insert(writer, "after", 500_000).join();
    writer.close(Duration.ofSeconds(10));
    try (var store = Store.openExisting(dir)) {
      long stored = commits.stream().filter(commit -> !commit.isCompletedExceptionally()).count();
      assertThat(store.count(CaptureFilter.all())).isEqualTo(stored + 1);
    }
  }

  /// SQLite reports a file that may not grow as it reports a disk that is full.
  private static void limit(Writer writer, int pages) {
    writer.run(connection -> {
      try (var statement = connection.createStatement()) {
        statement.execute("PRAGMA max_page_count = " + pages);
      } catch (SQLException e) {
        throw new StoreException("cannot limit the file", e);
      }
    });
  }

  private CompletableFuture<?> insert(Writer writer, String id, int bytes) {
    var request = Captured.request(id, "m", Instant.EPOCH, Map.of());
    return writer.submit(
        bytes,
        true,
        connection -> {
          insert.run(connection, request, new byte[bytes]);
          return true;
        });
  }
}
