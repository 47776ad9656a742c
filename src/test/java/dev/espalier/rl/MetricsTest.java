package dev.espalier.rl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.store.Durability;
import dev.espalier.store.Store;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MetricsTest {
  @TempDir private Path folder = Path.of("");

  /// Another name of the file still says all of it: the file was replaced, not written over. One
  /// that was cut after a brace of its own looks whole.
  @ParameterizedTest
  @ValueSource(strings = {"", "{\"st", "{\"step\":2,\"rewards\":{\"env\":1}", "{\"step\":2}"})
  void aLineThatTheKillCutOffIsDropped(String last) throws IOException {
    var file = folder.resolve("metrics.jsonl");
    Files.writeString(file, "{\"step\":1,\"rewards\":{\"env\":1}}\n" + last);
    try (var store = Store.open(folder, Durability.PROCESS);
        var metrics = Metrics.open(folder, new Journal(store, "r"), line -> {})) {
      metrics.keepUntil(1);
    }
    assertThat(file).hasContent("{\"step\":1,\"rewards\":{\"env\":1}}");
  }

  @Test
  void whatIsKeptIsWrittenBesideAndThenMoved() throws IOException {
    var file = folder.resolve("metrics.jsonl");
    var lines = List.of("{\"step\":1}", "{\"step\":2}", "{\"step\":");
    Files.write(file, lines);
    var link = Files.createLink(folder.resolve("link"), file);
    try (var store = Store.open(folder, Durability.PROCESS);
        var metrics = Metrics.open(folder, new Journal(store, "r"), line -> {})) {
      metrics.keepUntil(1);
    }
    assertThat(file).hasContent("{\"step\":1}");
    assertThat(Files.readAllLines(link)).isEqualTo(lines);
  }
}
