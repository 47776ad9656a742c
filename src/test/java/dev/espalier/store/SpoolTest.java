package dev.espalier.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Records that are safe before they are committed; `CrashTest` kills processes that have some.
class SpoolTest {
  @TempDir private Path dir;

  private List<Path> files() throws IOException {
    try (var files = Files.list(dir)) {
      return files.filter(file -> file.toString().endsWith(".spool")).toList();
    }
  }

  private static byte[] record(String id, String raw) {
    var request = Captured.request(id, "m", Instant.EPOCH, Map.of("t", "1"));
    return Spool.encoded(request, Packed.pack(raw.getBytes(UTF_8)));
  }

  /// Leaves two requests behind, one of them stored again, as a process does that dies.
  private void die() {
    var spool = new Spool(dir);
    assertThat(spool.append(record("a", "early"))).isTrue();
    assertThat(spool.append(record("b", "more"))).isTrue();
    var _ = spool.turn();
    assertThat(spool.append(record("a", "whole"))).isTrue();
    spool.close(false);
  }

  @Test
  void whatWasNotCommittedIsTakenOverByTheNextThatOpensTheStore() throws Exception {
    die();
    assertThat(files()).hasSize(2);
    for (var file : files()) {
      Files.write(
          file,
          new byte[] {0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 1, 0, 7, 7, 7, 7, 7, 7},
          StandardOpenOption.APPEND);
    }
    try (var store = Store.open(dir, Durability.PROCESS)) {
      var expected = Captured.request("a", "m", Instant.EPOCH, Map.of("t", "1"));
      assertThat(store.captured(CaptureFilter.all()).toList())
          .hasSize(2)
          .first()
          .usingRecursiveComparison()
          .isEqualTo(expected);
      assertThat(store.rawStream("a")).asString(UTF_8).isEqualTo("whole");
      assertThat(store.rawStream("b")).asString(UTF_8).isEqualTo("more");
      assertThat(files()).isEmpty();
    }
  }

  @Test
  void whatCannotBeReadIsSaidAndStays() throws Exception {
    die();
    for (var file : files()) {
      var crc = new CRC32();
      crc.update("{{".getBytes(UTF_8));
      var odd = ByteBuffer.allocate(18).putLong(0).putInt(2).putInt((int) crc.getValue());
      Files.write(file, odd.put("{{".getBytes(UTF_8)).array());
    }
    assertThatThrownBy(() -> Store.open(dir, Durability.PROCESS))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("take it away");
    assertThat(files()).hasSize(2);
  }

  @Test
  void oneThatLivesIsLeftAlone() throws Exception {
    try (var store = Store.open(dir, Durability.PROCESS)) {
      store.capture(Captured.request("a", "m", Instant.EPOCH, Map.of()), null).join();
      try (var other = Store.openExisting(dir)) {
        assertThat(other.count(CaptureFilter.all())).isEqualTo(1);
        assertThat(files()).hasSize(2);
      }
      store.capture(Captured.request("b", "m", Instant.EPOCH, Map.of()), null).join();
    }
    assertThat(files()).isEmpty();
  }

  @Test
  void aRecordWaitsForItsCommitWhileThereIsNoRoomForTheFiles() throws Exception {
    var nowhere = dir.resolve("nowhere");
    var spool = new Spool(nowhere, Duration.ZERO);
    assertThat(spool.append(record("a", "early"))).isFalse();
    spool.turn().run();
    Files.createDirectory(nowhere);
    assertThat(spool.append(record("a", "early"))).isTrue();
    spool.turn().run();
    assertThat(spool.append(record("b", "later"))).isTrue();
    spool.close(false);
    var ids = new ArrayList<String>();
    Spool.takeOver(nowhere, left -> left.forEach(entry -> ids.add(entry.request().id())));
    assertThat(ids).containsExactly("b");
    var patient = new Spool(dir.resolve("elsewhere"), Duration.ofHours(1));
    assertThat(patient.append(record("a", "early"))).isFalse();
    Files.createDirectory(dir.resolve("elsewhere"));
    assertThat(patient.append(record("a", "early"))).isFalse();
  }
}
