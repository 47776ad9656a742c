package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.espalier.store.Api;
import dev.espalier.store.TokenUsage;
import tools.jackson.databind.JsonNode;

/// The tokens of a request: what the provider says, or an estimate where it says nothing, since
/// nothing is added to a request to make it say more.
final class UsageCount {
  /// English text and JSON have about this many bytes a token in the vocabularies in use.
  private static final int BYTES_PER_TOKEN = 4;

  private UsageCount() {}

  static TokenUsage of(Api api, JsonNode request, JsonNode response) {
    var usage = response.path("usage");
    return switch (api) {
      case OPENAI -> {
        if (!usage.path("prompt_tokens").isNumber()) yield estimate(api, request, response);
        yield new TokenUsage(
            usage.path("prompt_tokens").asInt(0),
            usage.path("completion_tokens").asInt(0),
            usage.path("prompt_tokens_details").path("cached_tokens").asInt(0),
            false);
      }
      case ANTHROPIC -> {
        if (!usage.path("input_tokens").isNumber()) yield estimate(api, request, response);
        int cached = usage.path("cache_read_input_tokens").asInt(0);
        yield new TokenUsage(
            usage.path("input_tokens").asInt(0)
                + usage.path("cache_creation_input_tokens").asInt(0)
                + cached,
            usage.path("output_tokens").asInt(0),
            cached,
            false);
      }
    };
  }

  private static TokenUsage estimate(Api api, JsonNode request, JsonNode response) {
    long prompt =
        textBytes(request.path("messages"))
            + textBytes(request.path("tools"))
            + textBytes(request.path("system"));
    long completion =
        switch (api) {
          case OPENAI -> {
            long bytes = 0;
            for (var choice : response.path("choices")) bytes += textBytes(choice.path("message"));
            yield bytes;
          }
          case ANTHROPIC -> textBytes(response.path("content"));
        };
    return new TokenUsage(tokens(prompt), tokens(completion), 0, true);
  }

  private static int tokens(long bytes) {
    return (int) Math.min(Integer.MAX_VALUE, (bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN);
  }

  /// Bytes of all strings in a tree, and of the names in its objects.
  private static long textBytes(JsonNode node) {
    if (node.isString()) return node.asString().getBytes(UTF_8).length;
    long bytes = 0;
    for (var field : node.properties()) bytes += field.getKey().length();
    for (var child : node) bytes += textBytes(child);
    return bytes;
  }
}
