package dev.espalier.bench;

import dev.espalier.chat.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.node.ObjectNode;

/// What other software was measured at, by the scripts under `bench/peers`.
///
/// @param figures by name, of one size
public record Peers(Map<String, Double> figures) {
  /// Nothing was measured.
  public static final Peers NONE = new Peers(Map.of());

  public Peers {
    figures = Map.copyOf(figures);
  }

  /// The figures of a size: JSON lines with `"size"`, of which later ones count.
  ///
  /// @throws IllegalArgumentException if that is no such file
  public static Peers read(Path file, String size) {
    var figures = new HashMap<String, Double>();
    try {
      for (var line : Files.readAllLines(file)) {
        if (line.isBlank()) continue;
        var measured = Json.parse(line);
        if (!measured.path("size").asString("").equals(size)) continue;
        for (var field : measured.properties()) {
          if (field.getValue().isNumber()) {
            figures.put(field.getKey(), field.getValue().asDouble());
          }
        }
      }
    } catch (IOException | JacksonException e) {
      throw new IllegalArgumentException("--peers %s cannot be read: %s".formatted(file, e), e);
    }
    return new Peers(figures);
  }

  /// Puts a figure of ours ÷ a peer's into a result; null, and why, where the peer has none.
  void ratio(ObjectNode json, String key, double ours, String figure, String script) {
    var theirs = figures.get(figure);
    if (theirs != null) json.put(key, ours / theirs);
    else notRun(json, key, script);
  }

  /// Puts a ratio that a script worked out itself; null, and why, where it has not.
  void known(ObjectNode json, String key, String script) {
    var ratio = figures.get(key);
    if (ratio != null) json.put(key, ratio);
    else notRun(json, key, script);
  }

  private static void notRun(ObjectNode json, String key, String script) {
    json.putNull(key).put(key + "_why", "bench/peers/" + script + " was not run before");
  }

  /// Puts null for a figure of a peer that cannot be run here.
  static void missing(ObjectNode json, String key, String why) {
    json.putNull(key).put(key + "_why", why);
  }
}
