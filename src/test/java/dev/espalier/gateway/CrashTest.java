package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.Json;
import dev.espalier.cli.Killed;
import dev.espalier.store.CaptureFilter;
import dev.espalier.store.CapturedRequest;
import dev.espalier.store.Store;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `kill -9` of a real gateway under load, again and again on the same data folder: every response
/// that a client received whole is in the store, and the store opens without repair.
///
/// `./espalier test -Dtiers=crash -DskippedTiers=none -Dtest=CrashTest`
@Tag("crash")
class CrashTest {
  private static final int ROUNDS = Integer.getInteger("crash.rounds", 50);
  private static final long SEED = Long.getLong("crash.seed", System.nanoTime());
  private static final int CLIENTS = 8;

  @TempDir private Path dir;

  @Test
  void losesNothingThatAClientReceived() throws Exception {
    System.out.println("crash.seed=" + SEED);
    var random = new Random(SEED);
    var received = new ConcurrentHashMap<String, String>();
    ScriptedUpstream.Script script =
        (request, wire) -> {
          if (request.text().contains("\"stream\"")) Wires.text(wire);
          else wire.json(200, Wires.RESPONSE);
        };
    try (var upstream = new ScriptedUpstream(script)) {
      for (int round = 0; round < ROUNDS; round++) {
        int before = received.size();
        round(upstream, random, received);
        assertThat(received.size()).as("round %d received nothing", round).isGreaterThan(before);
        check(received, round);
      }
    }
    System.out.printf("%d kills, %d responses received whole%n", ROUNDS, received.size());
  }

  private void round(ScriptedUpstream upstream, Random random, Map<String, String> received)
      throws Exception {
    var process =
        new ProcessBuilder(
                Killed.command(
                    "-Xmx256m",
                    List.of("up", "--port=0", "--upstream=" + upstream.base(), "--data=" + dir)))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (var clients = Executors.newFixedThreadPool(CLIENTS)) {
      var url = listening(process);
      int already = received.size();
      for (int i = 0; i < CLIENTS; i++) {
        int client = i;
        var _ = clients.submit(() -> load(process, url, client, received));
      }
      while (process.isAlive() && received.size() == already) Thread.sleep(5);
      Thread.sleep(random.nextInt(400));
      process.destroyForcibly(); // SIGKILL
    } finally {
      process.destroyForcibly();
      assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    }
  }

  private static String listening(Process process) throws IOException {
    var out = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
    var line = out.readLine();
    assertThat(line).as("the gateway did not start").isNotNull();
    return Json.parse(line).path("url").asString();
  }

  private static void load(Process process, String url, int client, Map<String, String> received) {
    try (var http = HttpClient.newHttpClient()) {
      for (int i = client; process.isAlive(); i++) {
        var body = i % 2 == 0 ? Wires.REQUEST : Wires.STREAM_REQUEST;
        var request =
            HttpRequest.newBuilder(URI.create(url + "/v1/chat/completions"))
                .POST(BodyPublishers.ofString(body))
                .build();
        var response = http.send(request, BodyHandlers.ofString());
        if (response.statusCode() != 200) continue;
        received.put(
            response.headers().firstValue("x-espalier-request-id").orElseThrow(), response.body());
      }
    } catch (IOException | InterruptedException killed) {
      // what had not come whole does not count
    }
  }

  private void check(Map<String, String> received, int round) throws Exception {
    var url = "jdbc:sqlite:" + dir.resolve("espalier.db");
    try (var connection = DriverManager.getConnection(url);
        var statement = connection.createStatement()) {
      var integrity = statement.executeQuery("PRAGMA integrity_check").getString(1);
      assertThat(integrity).as("round %d", round).isEqualTo("ok");
    }
    try (var store = Store.openExisting(dir)) {
      var stored =
          store
              .captured(CaptureFilter.all())
              .collect(Collectors.toMap(CapturedRequest::id, Function.identity()));
      for (var one : received.entrySet()) {
        var record = stored.get(one.getKey());
        assertThat(record).as("round %d lost %s", round, one.getKey()).isNotNull();
        if (record == null) continue;
        var bytes = record.streamed() ? store.rawStream(record.id()) : record.response();
        assertThat(new String(bytes, UTF_8)).isEqualTo(one.getValue());
      }
    }
  }
}
