package dev.espalier.pretrain;

import dev.espalier.chat.Json;
import java.util.Map;
import java.util.stream.Collectors;

/// Writes what a tool returns, as compact JSON, spaced JSON or lines.
final class Records {
  private Records() {}

  static String write(Map<String, Object> record, Dice dice) {
    if (record.isEmpty()) return dice.oneOf("ok", "done", "{}", "true", "{\"ok\":true}");
    return switch (dice.below(10)) {
      case 0, 1 -> lines(record, dice.oneOf("\n", ", "));
      case 2, 3, 4 -> spaced(record);
      case 5 -> "[" + Json.write(record) + "]";
      default -> Json.write(record);
    };
  }

  private static String lines(Map<String, Object> record, String separator) {
    return record.entrySet().stream()
        .map(entry -> entry.getKey() + ": " + entry.getValue())
        .collect(Collectors.joining(separator));
  }

  /// As Python's json.dumps writes it.
  private static String spaced(Map<String, Object> record) {
    return record.entrySet().stream()
        .map(entry -> Json.write(entry.getKey()) + ": " + Json.write(entry.getValue()))
        .collect(Collectors.joining(", ", "{", "}"));
  }
}
