package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.Json;
import dev.espalier.engine.BaseModel;
import dev.espalier.engine.Engine;
import dev.espalier.engine.Held;
import dev.espalier.engine.LocalModel;
import dev.espalier.engine.Patience;
import dev.espalier.store.Outcome;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A real model that is asked for too much, too slow, or by clients that leave.
final class LocalOverloadTest {
  private static final Duration SOON = Duration.ofSeconds(5);

  @TempDir private Path dir = Path.of("");

  /// The built-in model alone, as `mine`.
  private record Mine(ChatModel model) implements LocalModels {
    @Override
    public @Nullable ChatModel find(String name) {
      return name.equals("mine") ? model : null;
    }

    @Override
    public List<String> names() {
      return List.of("mine");
    }

    @Override
    public byte[] token(String model, int id) {
      return new byte[0];
    }
  }

  /// Says when it is asked.
  private record Announced(ChatModel model, CountDownLatch asked) implements ChatModel {
    @Override
    public Completion complete(ChatRequest request) {
      asked.countDown();
      return model.complete(request);
    }
  }

  private static GatewayConfig atOnce(int requests, ScriptedUpstream upstream) {
    return new GatewayConfig(
        "127.0.0.1",
        0,
        List.of(Upstream.of("main", upstream.base())),
        List.of(),
        List.of(),
        null,
        false,
        false,
        1 << 20,
        requests,
        Duration.ofSeconds(1),
        null,
        null);
  }

  private static CompletableFuture<HttpResponse<byte[]>> later(Rig rig, String body) {
    var request = rig.request("/v1/chat/completions").POST(BodyPublishers.ofString(body)).build();
    return rig.http.sendAsync(request, BodyHandlers.ofByteArray());
  }

  @Test
  void aFullQueueRefusesItsOwnRequestsAndNoOthers() throws Exception {
    var asked = new CountDownLatch(2);
    try (var upstream = new ScriptedUpstream((request, wire) -> wire.json(200, Wires.RESPONSE));
        var base = BaseModel.load(Path.of("models/espalier-6m"));
        var engine = new Engine(base, 1, new Patience(2, Duration.ofMinutes(1)))) {
      var mine = new Mine(new Announced(LocalModel.base(engine), asked));
      try (var rig = new Rig(dir, atOnce(2, upstream), mine)) {
        var body = Wires.local("mine", ",\"max_tokens\":2");
        CompletableFuture<HttpResponse<byte[]>> first;
        CompletableFuture<HttpResponse<byte[]>> second;
        CompletableFuture<HttpResponse<byte[]>> third;
        try (var _ = new Held()) {
          first = later(rig, body);
          second = later(rig, body);
          assertThat(asked.await(1, TimeUnit.MINUTES)).isTrue();
          third = later(rig, body);
          // whichever came last
          CompletableFuture.anyOf(first, second, third).join();
          assertThat(rig.post("/v1/chat/completions", Wires.REQUEST).statusCode()).isEqualTo(200);
        }
        var answers = List.of(first.join(), second.join(), third.join());
        assertThat(answers).extracting(HttpResponse::statusCode).containsOnlyOnce(429);
        assertThat(answers).extracting(HttpResponse::statusCode).contains(200);
        for (var answer : answers) {
          if (answer.statusCode() != 429) continue;
          assertThat(Rig.text(answer)).contains("2 requests are waiting already");
          assertThat(answer.headers().firstValue("retry-after")).contains("1");
        }
      }
    }
  }

  @Test
  void aPromptThatIsTooLongIsToldAsOpenAiTellsIt() throws Exception {
    try (var base = BaseModel.load(Path.of("models/espalier-6m"));
        var engine = new Engine(base, 1, new Patience(2, Duration.ofMinutes(1)));
        var rig = new Rig(dir, GatewayConfig.of(0), new Mine(LocalModel.base(engine)))) {
      var body = Wires.local("mine", "").replace("2+2?", "2+2? ".repeat(10_000));
      var answer = rig.post("/v1/chat/completions", body);
      assertThat(answer.statusCode()).isEqualTo(400);
      var error = Json.parse(Rig.text(answer)).path("error");
      assertThat(error.path("code").asString()).isEqualTo("context_length_exceeded");
      assertThat(error.path("param").asString()).isEqualTo("messages");
      assertThat(error.path("message").asString()).startsWith("the prompt has ");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aModelThatStandsStillIsATimeOut(boolean stream) throws Exception {
    try (var base = BaseModel.load(Path.of("models/espalier-6m"));
        var engine = new Engine(base, 1, new Patience(2, Duration.ofSeconds(1)));
        var rig = new Rig(dir, GatewayConfig.of(0), new Mine(LocalModel.base(engine)))) {
      try (var _ = new Held()) {
        var answer = rig.post("/v1/chat/completions", Wires.local("mine", ",\"stream\":" + stream));
        assertThat(answer.statusCode()).isEqualTo(504);
        assertThat(Json.parse(Rig.text(answer)).at("/error/message").asString())
            .startsWith("the model gave no token within 1 s");
      }
      assertThat(rig.captured().getFirst().status()).isEqualTo(504);
    }
  }

  /// A call of hundreds of tokens, of which a stream shows nothing before the end.
  private static String endless(boolean stream) {
    var numbers =
        "{\"type\":\"array\",\"minItems\":400,\"maxItems\":400,\"items\":{\"type\":\"integer\"}}";
    var tool =
        """
        {"type":"function","function":{"name":"sum","strict":true,"parameters":{"type":"object",
         "additionalProperties":false,"required":["numbers"],"properties":{"numbers":%s}}}}\
        """
            .formatted(numbers);
    return Wires.local(
        "mine",
        ",\"max_tokens\":1500,\"stream\":%b,\"tools\":[%s],\"tool_choice\":\"required\""
            .formatted(stream, tool));
  }

  private static Socket send(Rig rig, String body) throws IOException {
    var socket = new Socket(InetAddress.getLoopbackAddress(), rig.gateway.port());
    var head = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ";
    var whole = head + body.getBytes(UTF_8).length + "\r\n\r\n" + body;
    socket.getOutputStream().write(whole.getBytes(UTF_8));
    return socket;
  }

  private static void awaitGone(Rig rig, int clients) throws InterruptedException {
    for (int i = 0; i < 100 && rig.captured().size() < clients; i++) Thread.sleep(50);
    assertThat(rig.captured()).hasSize(clients);
    assertThat(rig.captured()).extracting(it -> it.outcome()).containsOnly(Outcome.CLIENT_GONE);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aClientThatLeavesFreesItsPlace(boolean stream) throws Exception {
    try (var base = BaseModel.load(Path.of("models/espalier-6m"));
        var engine = new Engine(base, 1, new Patience(2, Duration.ofMinutes(1)));
        var rig = new Rig(dir, GatewayConfig.of(0), new Mine(LocalModel.base(engine)))) {
      var slow = Thread.ofPlatform().daemon().start(LocalOverloadTest::slowDown);
      try {
        var decoding = send(rig, endless(stream));
        Thread.sleep(500);
        send(rig, endless(stream)).close(); // this one waits
        awaitGone(rig, 1);
        decoding.close();
        awaitGone(rig, 2);
        long before = System.nanoTime();
        var body = Wires.local("mine", ",\"max_tokens\":2");
        var next = rig.post("/v1/chat/completions", body);
        // what was recorded frees its place at the engine's next step
        while (next.statusCode() == 429 && System.nanoTime() - before < SOON.toNanos()) {
          Thread.sleep(50);
          next = rig.post("/v1/chat/completions", body);
        }
        assertThat(next.statusCode()).isEqualTo(200);
        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(SOON);
      } finally {
        slow.interrupt();
        slow.join();
      }
    }
  }

  /// Lets the engine have one step in 50 ms.
  private static void slowDown() {
    while (!Thread.currentThread().isInterrupted()) {
      Device.cpu().run(Urgency.DECODE, () -> LockSupport.parkNanos(50_000_000));
    }
  }

  @Test
  void aClientThatStaysIsServedOnTheSameConnection() throws Exception {
    try (var base = BaseModel.load(Path.of("models/espalier-6m"));
        var engine = new Engine(base, 1, new Patience(2, Duration.ofMinutes(1)));
        var rig = new Rig(dir, GatewayConfig.of(0), new Mine(LocalModel.base(engine)))) {
      var body = Wires.local("mine", ",\"max_tokens\":2");
      for (int i = 0; i < 2; i++) {
        var held = new Held();
        var answer = later(rig, body);
        Thread.sleep(1500); // it is looked for meanwhile
        held.close();
        assertThat(answer.join().statusCode()).isEqualTo(200);
        assertThat(rig.post("/v1/chat/completions", body).statusCode()).isEqualTo(200);
      }
    }
  }

  @Test
  void choicesAreDecodedTogetherEachWithItsSeed() throws Exception {
    try (var base = BaseModel.load(Path.of("models/espalier-6m"));
        var engine = new Engine(base, 4, new Patience(8, Duration.ofMinutes(1)));
        var rig = new Rig(dir, GatewayConfig.of(0), new Mine(LocalModel.base(engine)))) {
      var how = ",\"temperature\":1.5,\"max_tokens\":12";
      var both = rig.post("/v1/chat/completions", Wires.local("mine", how + ",\"n\":2,\"seed\":5"));
      for (int i = 0; i < 2; i++) {
        var seed = ",\"seed\":" + (5 + i);
        var alone = rig.post("/v1/chat/completions", Wires.local("mine", how + seed));
        assertThat(Json.parse(Rig.text(both)).at("/choices/" + i + "/message"))
            .isEqualTo(Json.parse(Rig.text(alone)).at("/choices/0/message"));
      }
    }
  }
}
