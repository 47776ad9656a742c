package dev.espalier.chat;

import io.helidon.http.HeaderNames;
import io.helidon.webclient.api.HttpClientResponse;
import io.helidon.webclient.api.WebClient;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// A model behind an OpenAI-compatible endpoint.
///
/// Tries again after 429, 5xx and connections that fail before an answer begins, never once text
/// was handed over and never after a time-out: an upstream that hangs would hang again. Errors keep
/// the upstream's status if it is 4xx; its own faults are 502, its silence 504.
public final class RemoteModel implements ChatModel {
  private static final int LARGEST_ANSWER = 64 << 20; // bytes
  private static final long LONGEST_WAIT = 30_000; // milliseconds

  private final RemoteConfig config;
  private final WebClient client;

  public RemoteModel(RemoteConfig config) {
    this.config = config;
    this.client =
        WebClient.builder()
            .connectTimeout(config.connectTimeout())
            .readTimeout(config.readTimeout())
            .followRedirects(false)
            .build();
  }

  @Override
  public Completion complete(ChatRequest request) {
    var body = body(request);
    body.remove("stream");
    body.remove("stream_options");
    return send(body, in -> CompletionJson.read(json(in.readNBytes(LARGEST_ANSWER))));
  }

  @Override
  public Completion stream(ChatRequest request, Consumer<String> text) {
    var body = body(request).put("stream", true);
    body.putObject("stream_options").put("include_usage", true);
    return send(
        body,
        in -> {
          var assembler = new CompletionAssembler();
          var events = new EventStream(in);
          for (var data = events.next(); data != null; data = events.next()) {
            if (data.equals("[DONE]")) break;
            var fresh = assembler.add(json(data.getBytes(StandardCharsets.UTF_8)));
            if (!fresh.isEmpty()) text.accept(fresh);
          }
          return assembler.completion();
        });
  }

  private ObjectNode body(ChatRequest request) {
    var body = Json.object();
    body.setAll(request.json());
    return config.model() == null ? body : body.put("model", config.model());
  }

  private interface Read {
    Completion from(InputStream in) throws IOException;
  }

  private Completion send(ObjectNode body, Read read) {
    byte[] bytes = Json.MAPPER.writeValueAsBytes(body);
    for (int attempt = 0; ; attempt++) {
      boolean last = attempt == config.retries();
      try (var response = post(bytes)) {
        if (response.status().code() == 200) return read(response, read);
        var error = error(response);
        if (last || !passing(response.status().code())) throw error;
        pause(attempt, response.headers().value(HeaderNames.RETRY_AFTER).orElse(null));
      } catch (Unreachable e) {
        if (last) throw new ChatException(502, e.getMessage() + " cannot be reached", e);
        pause(attempt, null);
      }
    }
  }

  /// A connection that failed before an answer began.
  private static final class Unreachable extends Exception {
    private static final long serialVersionUID = 1L;

    Unreachable(String where, Throwable cause) {
      super(where, cause);
    }
  }

  private HttpClientResponse post(byte[] body) throws Unreachable {
    var base = config.base().toString().replaceAll("/+$", "");
    try {
      var request = client.post(base + "/chat/completions");
      request.header(HeaderNames.CONTENT_TYPE, "application/json");
      if (config.key() != null) {
        request.header(HeaderNames.AUTHORIZATION, "Bearer " + config.key());
      }
      return request.submit(body);
    } catch (RuntimeException e) {
      if (timedOut(e)) throw silent(e);
      throw new Unreachable(base, e);
    }
  }

  /// Tells what the connection throws, unchecked in Helidon, from what the reader of a text throws.
  private static final class Wire extends FilterInputStream {
    Wire(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      var one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      try {
        return in.read(into, offset, length);
      } catch (RuntimeException e) {
        throw new IOException(e);
      }
    }
  }

  private Completion read(HttpClientResponse response, Read read) {
    try (var in = new Wire(response.inputStream())) {
      return read.from(in);
    } catch (IOException e) {
      if (timedOut(e)) throw silent(e);
      throw new ChatException(502, config.base() + " broke off its answer", e);
    }
  }

  private ChatException silent(Exception e) {
    return new ChatException(
        504, "%s was silent for %s".formatted(config.base(), config.readTimeout()), e);
  }

  private static boolean timedOut(Throwable e) {
    for (var cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof SocketTimeoutException) return true;
    }
    return false;
  }

  private JsonNode json(byte[] bytes) {
    try {
      return Json.MAPPER.readTree(bytes);
    } catch (JacksonException e) {
      throw new ChatException(502, config.base() + " answered with what is not JSON", e);
    }
  }

  private ChatException error(HttpClientResponse response) {
    int status = response.status().code();
    String body;
    try (var in = response.inputStream()) {
      body = new String(in.readNBytes(10_000), StandardCharsets.UTF_8);
    } catch (IOException | RuntimeException e) {
      body = "";
    }
    return new ChatException(
        status >= 400 && status < 500 ? status : 502,
        "%s answered %d: %s".formatted(config.base(), status, message(body)));
  }

  private static String message(String body) {
    try {
      var error = Json.parse(body).path("error");
      var message = error.isString() ? error : error.path("message");
      if (message.isString()) return message.asString();
    } catch (JacksonException e) {
      // not the provider's error object: the text itself is shown
    }
    return body.isBlank()
        ? "nothing"
        : body.strip().substring(0, Math.min(body.strip().length(), 200));
  }

  private static boolean passing(int status) {
    return status == 408 || status == 429 || status >= 500;
  }

  private void pause(int attempt, @Nullable String retryAfter) {
    long wait = Math.min(LONGEST_WAIT, config.backoff().toMillis() << Math.min(attempt, 10));
    wait = wait / 2 + ThreadLocalRandom.current().nextLong(wait / 2 + 1); // clients spread out
    if (retryAfter != null && retryAfter.matches("\\d{1,5}")) {
      wait = Math.clamp(Long.parseLong(retryAfter) * 1000, wait, LONGEST_WAIT);
    }
    try {
      Thread.sleep(Duration.ofMillis(wait));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ChatException(503, "interrupted while waiting to ask again", e);
    }
  }
}
