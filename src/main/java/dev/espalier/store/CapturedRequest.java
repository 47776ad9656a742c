package dev.espalier.store;

import dev.espalier.chat.Json;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;

/// One request that passed the gateway, with its response.
///
/// @param id unique, ordered by time; clients get it as `x-espalier-request-id`
/// @param time when the request came in
/// @param model the model's name as the client sent it, empty if it sent none
/// @param servedBy the upstream or adapter that answered, `upstream:NAME` or `adapter:NAME`; empty
///   if none did
/// @param servedModel the model's name that was sent upstream
/// @param fellBack whether the route's fallback answered
/// @param streamed whether the response came as server-sent events
/// @param request the body as it came (redacted where patterns are configured)
/// @param response the JSON body; for a stream the message reassembled from it
/// @param promptVersion a hash of the static part: leading system messages and tools
/// @param conversationId the client's, or a hash of the messages that the conversation began with
/// @param usage null where there was no completion
/// @param firstByteMs from the request's arrival to the response's first byte
/// @param latencyMs from the request's arrival to the response's last byte
/// @param cost in the currency of the configured prices; null without a price
/// @param feedback in order of time; empty in a record that is about to be stored
public record CapturedRequest(
    String id,
    Instant time,
    Api api,
    String model,
    String servedBy,
    String servedModel,
    boolean fellBack,
    boolean streamed,
    byte[] request,
    byte[] response,
    int status,
    Outcome outcome,
    Map<String, String> tags,
    String promptVersion,
    String conversationId,
    @Nullable TokenUsage usage,
    long firstByteMs,
    long latencyMs,
    @Nullable Double cost,
    List<Feedback> feedback) {
  public CapturedRequest {
    tags = Map.copyOf(tags);
    feedback = List.copyOf(feedback);
  }

  /// The request as a tree, or a missing node where it is not JSON.
  public JsonNode requestJson() {
    return tree(request);
  }

  /// The response as a tree, or a missing node where it is not JSON.
  public JsonNode responseJson() {
    return tree(response);
  }

  /// The response as text.
  public String responseText() {
    return new String(response, StandardCharsets.UTF_8);
  }

  private static JsonNode tree(byte[] body) {
    if (body.length == 0) return MissingNode.getInstance();
    try {
      return Json.MAPPER.readTree(body);
    } catch (JacksonException notJson) {
      return MissingNode.getInstance();
    }
  }
}
