package dev.espalier.gateway;

import dev.espalier.chat.Json;
import dev.espalier.store.Api;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/// The hashes that requests are grouped by.
final class Prompt {
  private static final int LENGTH = 16;

  private Prompt() {}

  /// A hash of the static part: the leading system messages and the tools.
  static String version(Api api, JsonNode request) {
    var parts = Json.array();
    parts.add(system(api, request)).add(request.path("tools"));
    return hash(parts);
  }

  /// A hash of the messages that a conversation begins with, up to the first of the user: the same
  /// for all its requests.
  static String conversation(Api api, JsonNode request) {
    var parts = Json.array();
    parts.add(system(api, request));
    for (var message : request.path("messages")) {
      if (!message.path("role").asString("").equals("user")) continue;
      parts.add(message.path("content"));
      break;
    }
    return hash(parts);
  }

  private static JsonNode system(Api api, JsonNode request) {
    if (api == Api.ANTHROPIC) return request.path("system");
    var system = Json.array();
    for (var message : request.path("messages")) {
      var role = message.path("role").asString("");
      if (!role.equals("system") && !role.equals("developer")) break;
      system.add(message.path("content"));
    }
    return system;
  }

  private static String hash(ArrayNode parts) {
    return Keys.hash(parts.toString()).substring(0, LENGTH);
  }
}
