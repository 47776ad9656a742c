package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerResponse;
import tools.jackson.databind.JsonNode;

/// Responses that are JSON.
final class JsonResponse {
  private JsonResponse() {}

  static void send(ServerResponse response, JsonNode json) {
    send(response, json.toString().getBytes(UTF_8));
  }

  static void send(ServerResponse response, byte[] json) {
    response.header(HeaderNames.CONTENT_TYPE, "application/json").send(json);
  }
}
