package dev.espalier.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/// Against a loopback server that answers from a script.
class RemoteModelTest {
  /// An answer of the script.
  private interface Answer {
    void to(HttpExchange exchange) throws IOException, InterruptedException;
  }

  private static final Completion CALL =
      new Completion(
          new Message.Assistant("Zürich 🗼", List.of(new ToolCall("c1", "Find", "{\"a\":[1]}"))),
          FinishReason.TOOL_CALLS,
          new Usage(7, 3),
          null);

  private final Deque<Answer> script = new ArrayDeque<>();
  private final List<JsonNode> bodies = new ArrayList<>();
  private final List<String> keys = new ArrayList<>();
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext(
        "/v1/chat/completions",
        exchange -> {
          try (exchange) {
            bodies.add(Json.MAPPER.readTree(exchange.getRequestBody()));
            keys.add(exchange.getRequestHeaders().getFirst("Authorization"));
            script.removeFirst().to(exchange);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private RemoteModel model() {
    return model(server.getAddress().getPort());
  }

  private static RemoteModel model(int port) {
    return new RemoteModel(
        new RemoteConfig(
            URI.create("http://127.0.0.1:%d/v1/".formatted(port)),
            "sk-secret",
            "large",
            Duration.ofSeconds(5),
            Duration.ofMillis(500),
            2,
            Duration.ofMillis(1)));
  }

  private static ChatRequest request() {
    var messages = (ArrayNode) Json.parse("[{\"role\":\"user\",\"content\":\"hi\",\"x\":1}]");
    return ChatRequest.of("small", messages, null);
  }

  private static Answer answer(int status, String body) {
    return exchange -> {
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
      exchange.getResponseBody().write(bytes);
    };
  }

  private static String whole() {
    return Json.write(CompletionJson.write(CALL, "id", "large", Instant.EPOCH));
  }

  @Test
  void aCompletionIsReadAndTheRequestKeepsItsFields() {
    script.add(answer(200, whole()));
    assertThat(model().complete(request())).isEqualTo(CALL);
    assertThat(bodies.getFirst().path("model").asString()).isEqualTo("large");
    assertThat(bodies.getFirst().path("messages").path(0).path("x").asInt()).isEqualTo(1);
    assertThat(bodies.getFirst().has("stream")).isFalse();
    assertThat(keys).containsExactly("Bearer sk-secret");
  }

  @Test
  void aStreamIsPutTogetherAndItsTextHandedOverAsItComes() {
    var events =
        List.of(
            ": hello\r\n\r\n",
            data(CompletionJson.textChunk("Zür", true, "id", "m", Instant.EPOCH)),
            "data:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ich 🗼\"}}]}\r\n\r\n",
            "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c1\","
                + "\"function\":{\"name\":\"Find\",\"arguments\":\"{\\\"a\\\"\"}}]}}]}\n\n",
            "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,"
                + "\"function\":{\"arguments\":\":[1]}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\n",
            data(CompletionJson.usageChunk(CALL, "id", "m", Instant.EPOCH)),
            "data: [DONE]\n\n");
    script.add(answer(200, String.join("", events)));
    var texts = new ArrayList<String>();
    assertThat(model().stream(request(), texts::add)).isEqualTo(CALL);
    assertThat(texts).containsExactly("Zür", "ich 🗼");
    assertThat(bodies.getFirst().path("stream").asBoolean()).isTrue();
  }

  private static String data(JsonNode json) {
    return "data: " + json + "\n\n";
  }

  @Test
  void ourOwnChunksReadBackAsTheCompletion() {
    var assembler = new CompletionAssembler();
    assembler.add(CompletionJson.textChunk("Zürich 🗼", true, "id", "m", Instant.EPOCH));
    assembler.add(CompletionJson.lastChunk(CALL, "id", "m", Instant.EPOCH));
    assembler.add(CompletionJson.usageChunk(CALL, "id", "m", Instant.EPOCH));
    assertThat(assembler.completion()).isEqualTo(CALL);
  }

  @ParameterizedTest
  @ValueSource(ints = {408, 429, 500, 503})
  void whatPassesIsTriedAgain(int status) {
    script.add(answer(status, ""));
    script.add(answer(status, "{\"error\":{\"message\":\"busy\"}}"));
    script.add(answer(200, whole()));
    assertThat(model().complete(request())).isEqualTo(CALL);
  }

  @Test
  void retriesEndAndTheLastErrorIsTold() {
    for (int i = 0; i < 3; i++) script.add(answer(500, "{\"error\":{\"message\":\"busy\"}}"));
    assertThatThrownBy(() -> model().complete(request()))
        .isInstanceOfSatisfying(ChatException.class, e -> assertThat(e.status()).isEqualTo(502))
        .hasMessageContaining("answered 500: busy");
    assertThat(bodies).hasSize(3);
  }

  @Test
  void theClientsOwnFaultIsNotTriedAgain() {
    script.add(answer(401, "{\"error\":{\"message\":\"wrong key\"}}"));
    assertThatThrownBy(() -> model().complete(request()))
        .isInstanceOfSatisfying(ChatException.class, e -> assertThat(e.status()).isEqualTo(401))
        .hasMessageContaining("wrong key")
        .hasMessageNotContaining("sk-secret");
    assertThat(bodies).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "rubbish", "[]", "{\"choices\":[]}", "{\"error\":{\"message\":\"x\"}}"})
  void rubbishIsTheUpstreamsFault(String body) {
    script.add(answer(200, body));
    assertThatThrownBy(() -> model().complete(request()))
        .isInstanceOfSatisfying(ChatException.class, e -> assertThat(e.status()).isEqualTo(502));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"error\":\"down\"}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"cho\n\n",
      })
  void aStreamThatEndsEarlyIsAnErrorAndNotTriedAgain(String body) {
    script.add(answer(200, body));
    var texts = new ArrayList<String>();
    assertThatThrownBy(() -> model().stream(request(), texts::add))
        .isInstanceOfSatisfying(ChatException.class, e -> assertThat(e.status()).isEqualTo(502));
    assertThat(texts).containsExactly("a");
    assertThat(bodies).hasSize(1);
  }

  @Test
  void aConnectionThatBreaksMidStreamIsAnError() {
    script.add(exchange -> {
      exchange.sendResponseHeaders(200, 10_000);
      exchange.getResponseBody().write("data: {".getBytes(StandardCharsets.UTF_8));
      exchange.getResponseBody().flush();
    });
    assertThatThrownBy(() -> model().stream(request(), text -> {}))
        .isInstanceOfSatisfying(ChatException.class, e -> assertThat(e.status()).isEqualTo(502));
  }

  @Test
  void whatTheReaderOfTheTextThrowsIsNotTheUpstreamsFault() {
    script.add(answer(200, data(CompletionJson.textChunk("a", true, "id", "m", Instant.EPOCH))));
    assertThatThrownBy(() ->
            model().stream(
                request(),
                text -> {
                  throw new UncheckedIOException(new IOException("the client left"));
                }))
        .isInstanceOf(UncheckedIOException.class);
  }

  @Test
  void aSilentUpstreamTimesOutOnce() {
    script.add(exchange -> Thread.sleep(3_000));
    assertThatThrownBy(() -> model().complete(request()))
        .isInstanceOfSatisfying(ChatException.class, e -> assertThat(e.status()).isEqualTo(504))
        .hasMessageContaining("silent");
    assertThat(bodies).hasSize(1);
  }

  @Test
  void anAbsentUpstreamIsSaidToBeOne() throws IOException {
    int port;
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    assertThatThrownBy(() -> model(port).complete(request()))
        .isInstanceOfSatisfying(ChatException.class, e -> assertThat(e.status()).isEqualTo(502))
        .hasMessageContaining("cannot be reached");
  }

  @Test
  void anAddressThatIsNoneIsRefused() {
    assertThatThrownBy(() -> RemoteConfig.of(URI.create("localhost:80"), null, null))
        .hasMessageContaining("localhost:80");
  }
}
