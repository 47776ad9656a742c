package dev.espalier.chat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A tool call in the form in which two calls are compared: equal when they ask for the same thing.
///
/// @param arguments name to the value's [CanonicalJson]
public record CanonicalCall(String name, SortedMap<String, String> arguments) {
  /// Refuses what a tool could read in two ways: duplicate names, and text after the object.
  private static final JsonMapper STRICT =
      JsonMapper.builder(
              JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  public CanonicalCall {
    arguments = Collections.unmodifiableSortedMap(new TreeMap<>(arguments));
  }

  /// The canonical forms of a turn's calls, or null if one has none.
  public static @Nullable List<CanonicalCall> all(List<ToolCall> calls) {
    var all = new ArrayList<CanonicalCall>();
    for (var call : calls) {
      var one = of(call);
      if (one == null) return null;
      all.add(one);
    }
    return all;
  }

  /// The call's canonical form, or null if its arguments are not one JSON object.
  ///
  /// No text at all is read as no arguments, because some providers send it so.
  public static @Nullable CanonicalCall of(ToolCall call) {
    var arguments = new TreeMap<String, String>();
    if (call.arguments().isBlank()) return new CanonicalCall(call.name(), arguments);
    JsonNode json;
    try {
      json = STRICT.readTree(call.arguments());
    } catch (JacksonException unparseable) {
      return null;
    }
    if (!json.isObject()) return null;
    json.properties()
        .forEach(field -> arguments.put(field.getKey(), CanonicalJson.of(field.getValue())));
    return new CanonicalCall(call.name(), arguments);
  }
}
