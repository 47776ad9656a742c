package dev.espalier.gateway;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.store.Api;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;
import tools.jackson.databind.node.ObjectNode;

/// One request on its way through the gateway.
///
/// @param startNanos `System.nanoTime()` at its arrival
/// @param json the body as a tree; a missing node where it is not JSON
record Exchange(
    String id,
    Instant time,
    long startNanos,
    Api api,
    ServerRequest http,
    byte[] body,
    JsonNode json) {
  static final HeaderName REQUEST_ID = HeaderNames.create("x-espalier-request-id");
  static final HeaderName TAGS = HeaderNames.create("x-espalier-tags");
  static final HeaderName CONVERSATION = HeaderNames.create("x-espalier-conversation");
  static final HeaderName EPISODE = HeaderNames.create("x-espalier-episode");

  static Exchange of(Api api, ServerRequest http, String id, long startNanos, byte[] body) {
    return new Exchange(id, Instant.now(), startNanos, api, http, body, parse(body));
  }

  private static JsonNode parse(byte[] body) {
    try {
      return Json.MAPPER.readTree(body);
    } catch (JacksonException notJson) {
      return MissingNode.getInstance();
    }
  }

  long elapsedMs() {
    return (System.nanoTime() - startNanos) / 1_000_000;
  }

  /// The model's name, empty if there is none.
  String model() {
    return json.path("model").asString("");
  }

  boolean wantsStream() {
    return json.path("stream").asBoolean(false);
  }

  @Nullable String header(HeaderName name) {
    return http.headers().first(name).orElse(null);
  }

  /// The body as a chat request.
  ///
  /// @throws ApiError that says what is wrong with it
  ChatRequest chat() {
    if (!(json instanceof ObjectNode object)) {
      throw ApiError.badRequest("The request's body is not a JSON object", null);
    }
    if (!object.path("model").isString() || model().isBlank()) {
      throw ApiError.badRequest("model must be the name of a model", "model");
    }
    var stream = object.path("stream");
    if (!stream.isMissingNode() && !stream.isNull() && !stream.isBoolean()) {
      throw ApiError.badRequest("stream must be true or false", "stream");
    }
    try {
      return new ChatRequest(object);
    } catch (ChatException e) {
      throw new ApiError(e.status(), String.valueOf(e.getMessage()), null, null);
    }
  }
}
