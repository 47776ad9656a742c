package dev.espalier.gateway;

import static java.net.http.HttpRequest.BodyPublishers.ofString;
import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.store.Durability;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Traffic flows whatever the store does.
@Execution(ExecutionMode.CONCURRENT)
class SlowStoreTest {
  @TempDir private Path dir;

  /// What needs no more than the process to live waits for no transaction.
  @ParameterizedTest
  @CsvSource({"PROCESS, 0", "POWER, 1"})
  void releasesTheResponseWhereTheStoreIsSlowAndStoresItLater(Durability durability, int late)
      throws Exception {
    try (var upstream = new ScriptedUpstream((request, wire) -> wire.json(200, Wires.RESPONSE));
        var rig = Rig.before(upstream, dir, durability)) {
      try (var other = DriverManager.getConnection("jdbc:sqlite:" + dir.resolve("espalier.db"));
          var lock = other.createStatement()) {
        lock.execute("BEGIN IMMEDIATE");
        var response = rig.post("/v1/chat/completions", Wires.REQUEST);
        assertThat(Rig.text(response)).isEqualTo(Wires.RESPONSE);
        assertThat(rig.get("/metrics"))
            .contains("espalier_late_total " + late, "espalier_captured_total 0");
        lock.execute("ROLLBACK");
      }
      for (int i = 0; i < 200 && rig.captured().isEmpty(); i++) Thread.sleep(50);
      assertThat(rig.captured()).hasSize(1);
      assertThat(rig.get("/metrics")).contains("espalier_lost_total 0");
    }
  }

  @Test
  void countsWhatItCannotStore() throws Exception {
    try (var upstream = new ScriptedUpstream((request, wire) -> Wires.text(wire));
        var rig = Rig.before(upstream, dir)) {
      rig.store.close(Duration.ofSeconds(5));
      var response = rig.post("/v1/chat/completions", Wires.STREAM_REQUEST);
      assertThat(Rig.text(response)).endsWith("data: [DONE]\n\n");
      assertThat(rig.get("/metrics")).contains("espalier_lost_total 1");
    }
  }

  @Test
  void refusesMoreAtOnceThanItIsConfiguredFor() throws Exception {
    var release = new CountDownLatch(1);
    ScriptedUpstream.Script script =
        (request, wire) -> {
          release.await(20, TimeUnit.SECONDS);
          wire.json(200, Wires.RESPONSE);
        };
    try (var upstream = new ScriptedUpstream(script)) {
      var file = dir.resolve("espalier.json");
      Files.writeString(file, "{\"max_concurrent\": 1}");
      var defaults = GatewayConfig.of(0, Upstream.of("main", upstream.base()));
      try (var rig = new Rig(dir, ConfigFile.read(file, Map.of(), defaults), LocalModels.none())) {
        var request = rig.request("/v1/chat/completions").POST(ofString(Wires.REQUEST)).build();
        var first = rig.http.sendAsync(request, BodyHandlers.ofByteArray());
        for (int i = 0; i < 200 && upstream.requests.isEmpty(); i++) Thread.sleep(20);
        assertThat(rig.send(request).statusCode()).isEqualTo(503);
        release.countDown();
        assertThat(first.join().statusCode()).isEqualTo(200);
      }
    }
  }
}
