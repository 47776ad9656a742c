package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.espalier.chat.Json;
import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/// Blots out configured patterns, and keys, in what is about to be stored.
///
/// @param patterns applied to every text, number and field's name in a JSON body, or to the whole
///   of any other body
/// @param secrets keys of ours that must not be stored wherever they turn up
record Redaction(List<Pattern> patterns, List<String> secrets) {
  static final String MARK = "[redacted]";

  /// A shorter secret would hit ordinary text.
  private static final int SHORTEST_SECRET = 8;

  private static final int SHORTEST_KEY = 16;
  private static final int LONG_KEY = 32;

  /// Whether bodies may be changed at all; a stream's raw bytes are then not stored, as a match can
  /// lie across its events.
  boolean changesContent() {
    return !patterns.isEmpty();
  }

  /// @param clientKey what the client sent as its key, which may be none
  byte[] apply(byte[] body, @Nullable String clientKey) {
    var clean = blotAll(body, secrets);
    if (clientKey != null && isSecret(clientKey)) clean = blot(clean, clientKey);
    if (patterns.isEmpty()) return clean;
    try {
      return Json.MAPPER.writeValueAsBytes(tree(Json.MAPPER.readTree(clean)));
    } catch (JacksonException notJson) {
      return text(new String(clean, UTF_8)).getBytes(UTF_8);
    }
  }

  /// SDKs ask for a key where none is needed, and what people write there is often a word that
  /// texts have as well. Keys of providers and our own are long and have digits.
  private static boolean isSecret(String key) {
    if (key.length() < SHORTEST_KEY) return false;
    return key.length() >= LONG_KEY || key.chars().anyMatch(Character::isDigit);
  }

  String text(String text) {
    var clean = text;
    for (var pattern : patterns) clean = pattern.matcher(clean).replaceAll(MARK);
    return clean;
  }

  boolean hits(String text) {
    return patterns.stream().anyMatch(pattern -> pattern.matcher(text).find());
  }

  private JsonNode tree(JsonNode node) {
    if (node.isString()) return StringNode.valueOf(text(node.asString()));
    if (node.isNumber() && hits(node.asString())) return StringNode.valueOf(MARK);
    if (node instanceof ObjectNode object) {
      var clean = Json.object();
      for (var field : object.properties()) {
        clean.set(text(field.getKey()), tree(field.getValue()));
      }
      return clean;
    }
    if (node instanceof ArrayNode array) {
      for (int i = 0; i < array.size(); i++) array.set(i, tree(array.get(i)));
    }
    return node;
  }

  private static byte[] blotAll(byte[] body, Collection<String> secrets) {
    var clean = body;
    for (var secret : secrets) clean = blot(clean, secret);
    return clean;
  }

  /// Works on bytes as Latin-1 so that what is not text stays as it is.
  private static byte[] blot(byte[] body, String secret) {
    if (secret.length() < SHORTEST_SECRET) return body;
    var text = new String(body, ISO_8859_1);
    return text.contains(secret) ? text.replace(secret, MARK).getBytes(ISO_8859_1) : body;
  }
}
