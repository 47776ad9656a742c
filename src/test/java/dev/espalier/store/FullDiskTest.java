package dev.espalier.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Execution(ExecutionMode.CONCURRENT)
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

  @Test
  void whatIsSafeWaitsForRoom() {
    var spool = new Spool(dir);
    var writer = writer(spool);
    var commits = captured(writer, spool);
    assertThat(commits).noneMatch(CompletableFuture::isCompletedExceptionally);
    assertThat(commits).anyMatch(commit -> !commit.isDone());
    assertThat(writer.queuedBytes()).isPositive();
    assertThatThrownBy(() -> insert(writer, "awaited", 5_000_000).join())
        .hasMessageContaining("full");
    limit(writer, 1_000_000);
    var again = Captured.request("a0", "m", Instant.EPOCH, Map.of());
    var packed = Packed.pack("later".getBytes(UTF_8));
    assertThat(spool.append(Spool.encoded(again, packed))).isTrue();
    insert(writer, again, packed, false).join();
    assertThat(commits).allMatch(CompletableFuture::isDone);
    assertThat(writer.close(Duration.ofSeconds(10))).isTrue();
    assertThat(writer.queuedBytes()).isZero();
    spool.close(true);
    try (var store = Store.openExisting(dir)) {
      assertThat(store.count(CaptureFilter.all())).isEqualTo(commits.size());
      assertThat(store.rawStream("a0")).asString(UTF_8).isEqualTo("later");
    }
  }

  @Test
  void whatWaitsForRoomIsCommittedByTheNextThatOpensTheStore() {
    var spool = new Spool(dir);
    var writer = writer(spool);
    var commits = captured(writer, spool);
    assertThat(writer.close(Duration.ofSeconds(10))).isFalse();
    spool.close(false);
    assertThat(commits).anyMatch(CompletableFuture::isCompletedExceptionally);
    try (var store = Store.open(dir, Durability.PROCESS)) {
      assertThat(store.count(CaptureFilter.all())).isEqualTo(commits.size());
    }
  }

  @Test
  void whatIsSafeWaitsForAnotherThatWrites() throws Exception {
    var spool = new Spool(dir);
    var writer = writer(spool);
    writer.run(connection -> execute(connection, "PRAGMA busy_timeout = 50"));
    CompletableFuture<?> commit;
    try (var other = Database.writing(dir.resolve("espalier.db"), Durability.PROCESS)) {
      execute(other, "BEGIN IMMEDIATE");
      commit = captured(writer, spool, "a", 100);
      assertThatThrownBy(() -> insert(writer, "awaited", 100).join()).hasMessageContaining("lock");
      assertThat(commit).isNotDone();
    }
    commit.join();
    assertThat(writer.close(Duration.ofSeconds(10))).isTrue();
    spool.close(true);
    try (var store = Store.openExisting(dir)) {
      assertThat(store.count(CaptureFilter.all())).isEqualTo(1);
    }
  }

  @Test
  void whatIsSafeAndHasNoRoomInTheQueueIsCommittedByTheNextThatOpensTheStore() throws Exception {
    var spool = new Spool(dir);
    var writer = writer(spool);
    assertThat(captured(writer, spool, "a", Long.MAX_VALUE / 2)).isCompletedExceptionally();
    captured(writer, spool, "b", 100).join();
    captured(writer, spool, "c", 100).join();
    assertThat(captured(writer, spool, "d", Long.MAX_VALUE / 2)).isCompletedExceptionally();
    assertThat(writer.close(Duration.ofSeconds(10))).isTrue();
    spool.close(true);
    try (var store = Store.open(dir, Durability.PROCESS)) {
      assertThat(store.captured(CaptureFilter.all()).map(CapturedRequest::id))
          .containsExactlyInAnyOrder("a", "b", "c", "d");
    }
    try (var files = Files.list(dir)) {
      assertThat(files).noneMatch(file -> file.toString().endsWith(".spool"));
    }
  }

  private Writer writer(Spool spool) {
    var file = dir.resolve("espalier.db");
    Database.create(file);
    var writer = new Writer(file, Durability.PROCESS, spool);
    limit(writer, 100);
    return writer;
  }

  /// A request that is safe, for which the writer needs so much room in its queue.
  private CompletableFuture<?> captured(Writer writer, Spool spool, String id, long bytes) {
    var request = Captured.request(id, "m", Instant.EPOCH, Map.of());
    synchronized (spool) {
      assertThat(spool.append(Spool.encoded(request, null))).isTrue();
      return writer.submit(
          bytes,
          false,
          connection -> {
            insert.run(connection, request, null);
            return true;
          });
    }
  }

  /// Twenty requests that are safe and have not all room in the database, which were tried once.
  private List<CompletableFuture<?>> captured(Writer writer, Spool spool) {
    var commits = new ArrayList<CompletableFuture<?>>();
    for (int i = 0; i < 20; i++) {
      var request = Captured.request("a" + i, "m", Instant.EPOCH, Map.of());
      assertThat(spool.append(Spool.encoded(request, new byte[50_000]))).isTrue();
      commits.add(insert(writer, request, new byte[50_000], false));
    }
    writer.run(connection -> {}); // after them
    return commits;
  }

  /// SQLite reports a file that may not grow as it reports a disk that is full.
  private static void limit(Writer writer, int pages) {
    writer.run(connection -> execute(connection, "PRAGMA max_page_count = " + pages));
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private CompletableFuture<?> insert(Writer writer, String id, int bytes) {
    var request = Captured.request(id, "m", Instant.EPOCH, Map.of());
    return insert(writer, request, new byte[bytes], true);
  }

  private CompletableFuture<?> insert(
      Writer writer, CapturedRequest request, byte[] packed, boolean awaited) {
    return writer.submit(
        packed.length,
        awaited,
        connection -> {
          insert.run(connection, request, packed);
          return true;
        });
  }
}
