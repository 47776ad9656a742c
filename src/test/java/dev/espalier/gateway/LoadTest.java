package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.store.CapturedRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Many requests at once, half of them streams cut into random chunks: every byte arrives and is
/// stored.
class LoadTest {
  private static final int REQUESTS = 400;
  private static final int CLIENTS = 32;

  @TempDir private Path dir;

  @Test
  void altersNothingAndLosesNothing() throws Exception {
    var sent = new ConcurrentHashMap<String, String>();
    ScriptedUpstream.Script script =
        (request, wire) -> {
          var number = request.headers().get("x-number");
          var random = new Random(Long.parseLong(number));
          var body = request.text().contains("\"stream\"") ? stream(random) : plain(random);
          sent.put(number, body);
          if (body.startsWith("{")) {
            wire.json(200, body);
            return;
          }
          wire.startStream();
          var bytes = body.getBytes(UTF_8);
          for (int from = 0; from < bytes.length; ) {
            int to = Math.min(bytes.length, from + 1 + random.nextInt(200));
            wire.chunk(Arrays.copyOfRange(bytes, from, to));
            from = to;
          }
          wire.endStream();
        };
    try (var upstream = new ScriptedUpstream(script);
        var rig = Rig.before(upstream, dir);
        var clients = Executors.newFixedThreadPool(CLIENTS)) {
      var answers = new ArrayList<Future<String>>();
      for (int i = 0; i < REQUESTS; i++) {
        var number = String.valueOf(i);
        var body = i % 2 == 0 ? Wires.REQUEST : Wires.STREAM_REQUEST;
        answers.add(
            clients.submit(() -> {
              var response = rig.post("/v1/chat/completions", body, "x-number", number);
              assertThat(Rig.text(response)).isEqualTo(sent.get(number));
              return response.headers().firstValue("x-espalier-request-id").orElseThrow();
            }));
      }
      var ids = new ArrayList<String>();
      for (var answer : answers) ids.add(answer.get());
      var stored = byId(rig);
      assertThat(stored).hasSize(REQUESTS);
      for (int i = 0; i < REQUESTS; i++) {
        var record = Objects.requireNonNull(stored.get(ids.get(i)));
        var bytes = record.streamed() ? rig.store.rawStream(record.id()) : record.response();
        assertThat(new String(bytes, UTF_8)).isEqualTo(sent.get(String.valueOf(i)));
      }
      assertThat(rig.get("/metrics")).contains("espalier_lost_total 0");
    }
  }

  private static Map<String, CapturedRequest> byId(Rig rig) {
    return rig.captured().stream()
        .collect(Collectors.toMap(CapturedRequest::id, Function.identity()));
  }

  private static String plain(Random random) {
    return Wires.RESPONSE.replace("\"4\"", "\"" + words(random, 2000) + "\"");
  }

  private static String stream(Random random) {
    var out = new StringBuilder();
    var newline = random.nextBoolean() ? "\n" : "\r\n";
    for (int i = 0; i < 30; i++) {
      var delta = "{\"content\":\"" + words(random, 5) + "\"}";
      out.append("data: ").append(Wires.chunk(delta, "null")).append(newline).append(newline);
    }
    return out.append("data: [DONE]").append(newline).append(newline).toString();
  }

  private static String words(Random random, int count) {
    return random
        .ints(count, 0, 4)
        .mapToObj(i -> new String[] {"tree ", "é ", "\\\"q\\\" ", "🌳 "}[i])
        .collect(Collectors.joining());
  }
}
