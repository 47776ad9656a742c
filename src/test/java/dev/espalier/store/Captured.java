package dev.espalier.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Instant;
import java.util.List;
import java.util.Map;

/// Captured requests for tests.
final class Captured {
  private Captured() {}

  static CapturedRequest request(String id, String model, Instant time, Map<String, String> tags) {
    return request(id, model, time, tags, "upstream:main");
  }

  static CapturedRequest request(
      String id, String model, Instant time, Map<String, String> tags, String servedBy) {
    return new CapturedRequest(
        id,
        time,
        Api.OPENAI,
        model,
        servedBy,
        model,
        false,
        false,
        "{\"model\":\"%s\"}".formatted(model).getBytes(UTF_8),
        "{\"choices\":[]}".getBytes(UTF_8),
        200,
        Outcome.COMPLETE,
        tags,
        "p1",
        "c1",
        new TokenUsage(10, 5, 2, false),
        12,
        34,
        0.5,
        List.of());
  }
}
