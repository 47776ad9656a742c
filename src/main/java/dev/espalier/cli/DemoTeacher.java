package dev.espalier.cli;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.CompletionJson;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.chat.Usage;
import dev.espalier.env.Dialogue.Turn;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The demo's large model: an OpenAI-compatible endpoint that knows the right answer to every
/// request it will get, and takes as long over it as it is told to.
///
/// It stands in for a provider so that the demo needs no key; what it costs and how slow it is are
/// configuration, and reported as such.
final class DemoTeacher implements AutoCloseable {
  private static final double CHARACTERS_A_TOKEN = 4; // a rule of thumb for English

  private final Map<List<Message>, Message.Assistant> answers = new HashMap<>();
  private final Duration delay;
  private final WebServer server;

  private DemoTeacher(List<Turn> turns, Duration delay) {
    for (var turn : turns) answers.put(key(turn.messages()), turn.answer());
    this.delay = delay;
    var routing = HttpRouting.builder().post("/v1/chat/completions", this::answer);
    server = WebServer.builder().host("127.0.0.1").port(0).routing(routing).build().start();
  }

  /// Starts a teacher that can answer these turns.
  ///
  /// @param delay from a request's arrival to the first byte of its answer
  static DemoTeacher start(List<Turn> turns, Duration delay) {
    return new DemoTeacher(turns, delay);
  }

  /// The address to configure as an upstream.
  URI base() {
    return URI.create("http://127.0.0.1:%d/v1".formatted(server.port()));
  }

  private static List<Message> key(JsonNode messages) {
    var key = new ArrayList<Message>();
    for (var message : messages) key.add(ChatRequest.message(message));
    return key;
  }

  private void answer(ServerRequest http, ServerResponse response) {
    try {
      var request = read(http);
      var answer = answers.get(request.conversation());
      if (answer == null) throw new ChatException(404, "the teacher was not taught this request");
      Thread.sleep(delay);
      var reason = answer.calls().isEmpty() ? FinishReason.STOP : FinishReason.TOOL_CALLS;
      var usage = new Usage(tokens(request.json()), tokens(CompletionJson.message(answer)));
      var completion = new Completion(answer, reason, usage, null);
      if (request.json().path("stream").asBoolean(false)) stream(request, completion, response);
      else
        send(response, 200, CompletionJson.write(completion, id(), request.model(), Instant.now()));
    } catch (ChatException e) {
      var error = Json.object();
      error.putObject("error").put("message", e.getMessage()).put("type", "invalid_request_error");
      send(response, e.status(), error);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the teacher was stopped", e);
    }
  }

  private static ChatRequest read(ServerRequest http) {
    try {
      if (Json.parse(http.content().as(String.class)) instanceof ObjectNode json) {
        return new ChatRequest(json);
      }
    } catch (JacksonException e) {
      throw new ChatException(400, "the request is not JSON", e);
    }
    throw new ChatException(400, "the request is not a JSON object");
  }

  private static int tokens(JsonNode json) {
    return (int) Math.ceil(json.toString().length() / CHARACTERS_A_TOKEN);
  }

  private static String id() {
    return "chatcmpl-" + Long.toHexString(System.nanoTime());
  }

  private static void send(ServerResponse response, int status, ObjectNode body) {
    response
        .status(Status.create(status))
        .header(HeaderNames.CONTENT_TYPE, "application/json")
        .send(Json.write(body));
  }

  /// Text word by word, calls at the end, usage for whoever asked.
  private static void stream(ChatRequest request, Completion completion, ServerResponse response) {
    var id = id();
    var model = request.model();
    var now = Instant.now();
    response.header(HeaderNames.CONTENT_TYPE, "text/event-stream");
    try (var out = response.outputStream()) {
      boolean first = true;
      for (var word : completion.message().text().split("(?<= )")) {
        if (word.isEmpty()) continue;
        event(out, CompletionJson.textChunk(word, first, id, model, now).toString());
        first = false;
      }
      event(out, CompletionJson.lastChunk(completion, id, model, now).toString());
      if (request.json().path("stream_options").path("include_usage").asBoolean(false)) {
        event(out, CompletionJson.usageChunk(completion, id, model, now).toString());
      }
      event(out, "[DONE]");
    } catch (IOException e) {
      throw new UncheckedIOException("the client of the teacher is gone", e);
    }
  }

  private static void event(OutputStream out, String data) throws IOException {
    out.write(("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  @Override
  public void close() {
    server.stop();
  }
}
