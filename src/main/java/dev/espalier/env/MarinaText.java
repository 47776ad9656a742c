package dev.espalier.env;

import dev.espalier.chat.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import tools.jackson.databind.JsonNode;

/// The text files that Port Alder is made of.
final class MarinaText {
  private MarinaText() {}

  static String read(String file) {
    var name = "port-alder/" + file;
    try (var in = Objects.requireNonNull(MarinaText.class.getResourceAsStream(name), name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + name, e);
    }
  }

  static JsonNode json(String file) {
    return Json.MAPPER.readTree(read(file));
  }

  /// The lines under each `[section]`, without comments and empty lines.
  static Map<String, List<String>> sections(String file) {
    var sections = new LinkedHashMap<String, List<String>>();
    var lines = new ArrayList<String>();
    for (var line : read(file).lines().toList()) {
      if (line.isBlank() || line.startsWith("#")) continue;
      if (line.matches("\\[[a-z_ -]+]")) {
        lines = new ArrayList<>();
        sections.put(line.substring(1, line.length() - 1), lines);
      } else {
        lines.add(line);
      }
    }
    return sections;
  }
}
