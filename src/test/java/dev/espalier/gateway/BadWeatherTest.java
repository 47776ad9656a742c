package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.Json;
import dev.espalier.env.Episodes;
import dev.espalier.store.Api;
import dev.espalier.store.CaptureFilter;
import dev.espalier.store.Durability;
import dev.espalier.store.Outcome;
import dev.espalier.store.Store;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What goes wrong: each a clear error in the provider's shape, and a record of it.
@Execution(ExecutionMode.CONCURRENT)
class BadWeatherTest {
  @TempDir private Path dir;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{\"model\": \"m\", \"messages\": [",
        "[]",
        "null",
        "{\"messages\": [{\"role\":\"user\",\"content\":\"hi\"}]}",
        "{\"model\": 5, \"messages\": [{\"role\":\"user\",\"content\":\"hi\"}]}",
        "{\"model\": \"m\", \"messages\": \"hi\"}",
        "{\"model\": \"m\", \"messages\": [\"hi\"]}",
        "{\"model\": \"m\", \"messages\": [{\"role\":\"user\"}], \"stream\": \"yes\"}",
        "{\"model\": \"m\", \"messages\": [{\"role\":\"user\"}], \"tools\": {}}"
      })
  void refusesWhatIsNoChatRequest(String body) throws Exception {
    try (var upstream = new ScriptedUpstream((request, wire) -> wire.json(200, Wires.RESPONSE));
        var rig = Rig.before(upstream, dir)) {
      var response = rig.post("/v1/chat/completions", body);
      assertThat(response.statusCode()).isEqualTo(400);
      var error = Json.parse(Rig.text(response)).path("error");
      assertThat(error.path("type").asString()).isEqualTo("invalid_request_error");
      assertThat(error.path("message").asString()).isNotBlank();
      assertThat(error.has("param") && error.has("code")).isTrue();
      var anthropic = Json.parse(Rig.text(rig.post("/anthropic/v1/messages", body)));
      assertThat(anthropic.path("type").asString()).isEqualTo("error");
      assertThat(anthropic.at("/error/type").asString()).isEqualTo("invalid_request_error");
      assertThat(upstream.requests).isEmpty();
      assertThat(rig.captured())
          .extracting(r -> r.status() + " " + r.outcome())
          .containsExactly("400 FAILED", "400 FAILED");
      assertThat(rig.captured().getFirst().request()).isEqualTo(body.getBytes(UTF_8));
    }
  }

  @Test
  void aPortThatIsTakenIsSaid() {
    try (var rig = new Rig(dir, GatewayConfig.of(0), LocalModels.none())) {
      int port = rig.gateway.port();
      assertThatThrownBy(() -> Gateway.start(GatewayConfig.of(port), rig.store, LocalModels.none()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("cannot listen on 127.0.0.1:%d: choose another --port".formatted(port));
      assertThatThrownBy(() ->
              EpisodeServer.start(
                  EpisodeServerConfig.local(port), new Episodes(), id -> new byte[0]))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("cannot listen on 127.0.0.1:%d: choose another --agent-port".formatted(port));
    }
  }

  @Test
  void refusesLongBodiesWithoutKeepingThem() throws Exception {
    try (var upstream = new ScriptedUpstream((request, wire) -> wire.json(200, Wires.RESPONSE));
        var rig = Rig.before(upstream, dir)) {
      var request = rig.request("/v1/chat/completions");
      var zeros = new ZeroStream(100L << 20);
      var chunked = rig.send(request.POST(BodyPublishers.ofInputStream(() -> zeros)).build());
      assertThat(chunked.statusCode()).isEqualTo(413);
      assertThat(Json.parse(Rig.text(chunked)).at("/error/code").asString())
          .isEqualTo("request_too_large");
      var sized = new byte[33 << 20];
      var response = rig.send(request.POST(BodyPublishers.ofByteArray(sized)).build());
      assertThat(response.statusCode()).isEqualTo(413);
      assertThat(upstream.requests).isEmpty();
    }
  }

  /// A body that takes no memory.
  private static final class ZeroStream extends InputStream {
    private long left;

    ZeroStream(long length) {
      left = length;
    }

    @Override
    public int read() {
      return left-- > 0 ? 0 : -1;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) {
      if (left <= 0) return -1;
      int n = (int) Math.min(left, length);
      left -= n;
      return n;
    }
  }

  @Test
  void answersUnknownModelsAndPathsInTheProvidersShape() throws Exception {
    try (var upstream = new ScriptedUpstream((request, wire) -> wire.json(200, Wires.RESPONSE))) {
      var only =
          new Upstream(
              "main",
              upstream.base(),
              Set.of(Api.OPENAI),
              null,
              List.of("gpt-*"),
              Upstream.TIMEOUT);
      try (var rig = new Rig(dir, GatewayConfig.of(0, only), LocalModels.none())) {
        var response = rig.post("/v1/chat/completions", Wires.REQUEST.replace("gpt-x", "claude"));
        assertThat(response.statusCode()).isEqualTo(404);
        assertThat(Json.parse(Rig.text(response)).at("/error/code").asString())
            .isEqualTo("model_not_found");
        var anthropic = rig.post("/anthropic/v1/messages", Wires.REQUEST);
        assertThat(Json.parse(Rig.text(anthropic)).at("/error/type").asString())
            .isEqualTo("not_found_error");
        assertThat(rig.get("/v1/nothing")).contains("\"error\"").contains("GET /v1/nothing");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 401, 429, 500, 503})
  void passesOnTheUpstreamsErrors(int status) throws Exception {
    var error = "{\"error\":{\"message\":\"no\",\"type\":\"theirs\",\"param\":null,\"code\":null}}";
    try (var upstream = new ScriptedUpstream((request, wire) -> wire.json(status, error));
        var rig = Rig.before(upstream, dir)) {
      var response = rig.post("/v1/chat/completions", Wires.REQUEST);
      assertThat(response.statusCode()).isEqualTo(status);
      assertThat(Rig.text(response)).isEqualTo(error);
      assertThat(rig.captured().getFirst().status()).isEqualTo(status);
      assertThat(rig.captured().getFirst().usage()).isNull();
    }
  }

  @Test
  void givesUpOnAnUpstreamThatHangs() throws Exception {
    var release = new CountDownLatch(1);
    try (var upstream =
        new ScriptedUpstream((request, wire) -> release.await(20, TimeUnit.SECONDS))) {
      var slow =
          new Upstream(
              "slow",
              upstream.base(),
              Set.of(Api.OPENAI),
              null,
              List.of("*"),
              Duration.ofMillis(300));
      try (var rig = new Rig(dir, GatewayConfig.of(0, slow), LocalModels.none())) {
        var response = rig.post("/v1/chat/completions", Wires.REQUEST);
        assertThat(response.statusCode()).isEqualTo(504);
        assertThat(Json.parse(Rig.text(response)).at("/error/code").asString())
            .isEqualTo("upstream_timeout");
        assertThat(rig.captured().getFirst().status()).isEqualTo(504);
      } finally {
        release.countDown();
      }
    }
  }

  @Test
  void saysThatAnUpstreamCannotBeReached() throws Exception {
    var upstream = new ScriptedUpstream((request, wire) -> {});
    upstream.stop();
    try (var rig = Rig.before(upstream, dir)) {
      var response = rig.post("/v1/chat/completions", Wires.REQUEST);
      assertThat(response.statusCode()).isEqualTo(502);
      assertThat(Rig.text(response)).contains("main");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"\u0000\u0001rubbish\r\n\r\n", "HTTP/1.1 hello\r\n\r\n", ""})
  void answers502ToRubbishInsteadOfHttp(String rubbish) throws Exception {
    try (var upstream =
            new ScriptedUpstream((request, wire) -> {
              wire.raw(rubbish);
              throw new IOException("cut");
            });
        var rig = Rig.before(upstream, dir)) {
      var response = rig.post("/v1/chat/completions", Wires.REQUEST);
      assertThat(response.statusCode()).isEqualTo(502);
      assertThat(rig.captured().getFirst().outcome()).isEqualTo(Outcome.FAILED);
    }
  }

  @Test
  void passesOnABodyThatIsNotWhatItSays() throws Exception {
    var rubbish = new byte[] {(byte) 0xFF, 0, '{', (byte) 0xC3, 13, 10};
    try (var upstream =
            new ScriptedUpstream((request, wire) -> wire.plain(200, "application/json", rubbish));
        var rig = Rig.before(upstream, dir)) {
      assertThat(rig.post("/v1/chat/completions", Wires.REQUEST).body()).isEqualTo(rubbish);
      assertThat(rig.captured().getFirst().response()).isEqualTo(rubbish);
      assertThat(rig.captured().getFirst().responseJson().isMissingNode()).isTrue();
    }
  }

  @Test
  void passesOnRubbishInAStream() throws Exception {
    try (var upstream =
            new ScriptedUpstream((request, wire) -> {
              wire.startStream();
              wire.event("{not json");
              wire.chunk(new byte[] {(byte) 0xFF, 0, 10, 10});
              wire.event(Wires.chunk("{\"content\":\"ok\"}", "\"stop\""));
              wire.event("[DONE]");
              wire.endStream();
            });
        var rig = Rig.before(upstream, dir)) {
      var response = rig.post("/v1/chat/completions", Wires.STREAM_REQUEST);
      var captured = rig.captured().getFirst();
      assertThat(rig.store.rawStream(captured.id())).isEqualTo(response.body());
      assertThat(captured.responseJson().at("/choices/0/message/content").asString())
          .isEqualTo("ok");
    }
  }

  @Test
  void showsTheCutOfAStreamAndNeverAFakeEnd() throws Exception {
    try (var upstream =
            new ScriptedUpstream((request, wire) -> {
              wire.startStream();
              wire.event(Wires.chunk("{\"content\":\"fo\"}", "null"));
              throw new IOException("cut");
            });
        var rig = Rig.before(upstream, dir)) {
      assertThatThrownBy(() -> rig.post("/v1/chat/completions", Wires.STREAM_REQUEST))
          .isInstanceOf(IOException.class);
      var captured = rig.captured().getFirst();
      assertThat(captured.outcome()).isEqualTo(Outcome.TRUNCATED);
      assertThat(captured.responseJson().at("/choices/0/message/content").asString())
          .isEqualTo("fo");
      assertThat(rig.get("/metrics")).contains("espalier_truncated_total 1");
    }
  }

  @Test
  void showsTheCutOfAPlainResponse() throws Exception {
    try (var upstream =
            new ScriptedUpstream((request, wire) -> {
              wire.raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half\":");
              throw new IOException("cut");
            });
        var rig = Rig.before(upstream, dir)) {
      assertThatThrownBy(() -> rig.post("/v1/chat/completions", Wires.REQUEST))
          .isInstanceOf(IOException.class);
      assertThat(rig.captured().getFirst().outcome()).isEqualTo(Outcome.TRUNCATED);
      assertThat(rig.captured().getFirst().responseText()).isEqualTo("{\"half\":");
    }
  }

  @Test
  void recordsWhatCameBeforeTheClientLeft() throws Exception {
    var left = new CountDownLatch(1);
    try (var upstream =
            new ScriptedUpstream((request, wire) -> {
              wire.startStream();
              wire.event(Wires.chunk("{\"content\":\"fo\"}", "null"));
              left.await(5, TimeUnit.SECONDS);
              // More than the buffers between here and the client hold.
              for (int i = 0; i < 2000; i++) wire.event(" ".repeat(10_000));
            });
        var rig = Rig.before(upstream, dir)) {
      try (var socket = send(rig, Wires.STREAM_REQUEST)) {
        assertThat(socket.getInputStream().read()).isPositive();
      }
      left.countDown();
      for (int i = 0; i < 100 && rig.captured().isEmpty(); i++) Thread.sleep(50);
      assertThat(rig.captured().getFirst().outcome()).isEqualTo(Outcome.CLIENT_GONE);
    }
  }

  /// Where a stop leaves it the time, a stream ends; what takes longer is recorded as far as it
  /// came.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aStreamThatIsGoingOnAtAStopIsRecorded(boolean inTime) throws Exception {
    var stopping = new CountDownLatch(1);
    try (var upstream =
            new ScriptedUpstream((request, wire) -> {
              wire.startStream();
              wire.event(Wires.chunk("{\"content\":\"fo\"}", "null"));
              stopping.await(5, TimeUnit.SECONDS);
              Thread.sleep(inTime ? 100 : 5000);
              wire.event("[DONE]");
              wire.endStream();
            });
        var store = Store.open(dir, Durability.PROCESS)) {
      var config = GatewayConfig.of(0, Upstream.of("main", upstream.base()));
      var grace = Duration.ofMillis(inTime ? 5000 : 100);
      try (var gateway = Gateway.start(config, store, LocalModels.none(), grace);
          var socket = send(gateway.port(), Wires.STREAM_REQUEST)) {
        assertThat(socket.getInputStream().read()).isPositive();
        stopping.countDown();
        gateway.close();
      }
      var captured = store.captured(CaptureFilter.all()).toList();
      assertThat(captured)
          .extracting(it -> it.outcome())
          .containsExactly(inTime ? Outcome.COMPLETE : Outcome.TRUNCATED);
      assertThat(captured.getFirst().responseText()).contains("fo");
    }
  }

  private static Socket send(Rig rig, String body) throws IOException {
    return send(rig.gateway.port(), body);
  }

  private static Socket send(int port, String body) throws IOException {
    var socket = new Socket(InetAddress.getLoopbackAddress(), port);
    var head = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ";
    var whole = head + body.getBytes(UTF_8).length + "\r\n\r\n" + body;
    socket.getOutputStream().write(whole.getBytes(UTF_8));
    return socket;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aClientThatLeavesWhileTheUpstreamIsSilentEndsTheCall(boolean begun) throws Exception {
    var left = new CountDownLatch(1);
    var ended = new CountDownLatch(1);
    ScriptedUpstream.Script script =
        (request, wire) -> {
          if (begun) wire.startStream();
          if (begun) wire.event(Wires.chunk("{\"content\":\"fo\"}", "null"));
          left.await(20, TimeUnit.SECONDS);
          try {
            while (true) wire.event("of what nobody reads"); // to the end of the connection
          } finally {
            ended.countDown();
          }
        };
    try (var upstream = new ScriptedUpstream(script);
        var rig = Rig.before(upstream, dir)) {
      try (var socket = send(rig, begun ? Wires.STREAM_REQUEST : Wires.REQUEST)) {
        if (begun) assertThat(socket.getInputStream().read()).isPositive();
        else Thread.sleep(200);
      }
      for (int i = 0; i < 100 && rig.captured().isEmpty(); i++) Thread.sleep(50);
      var captured = rig.captured().getFirst();
      assertThat(captured.outcome()).isEqualTo(Outcome.CLIENT_GONE);
      assertThat(captured.servedBy()).isEqualTo("upstream:main");
      assertThat(captured.status()).isEqualTo(begun ? 200 : 499);
      assertThat(captured.responseText()).contains(begun ? "fo" : "");
      left.countDown();
      assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void survivesUpstreamsThatCloseIdleConnections() throws Exception {
    try (var upstream =
            new ScriptedUpstream((request, wire) -> {
              wire.json(200, Wires.RESPONSE);
              throw new IOException("closed without saying so");
            });
        var rig = Rig.before(upstream, dir)) {
      for (int i = 0; i < 5; i++) {
        assertThat(rig.post("/v1/chat/completions", Wires.REQUEST).statusCode()).isEqualTo(200);
        Thread.sleep(20);
      }
    }
  }
}
