package dev.espalier.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.Json;
import dev.espalier.store.Api;
import dev.espalier.store.CapturedRequest;
import dev.espalier.store.Durability;
import dev.espalier.store.Outcome;
import dev.espalier.store.Store;
import dev.espalier.store.TokenUsage;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RequestsCommandTest {
  @TempDir private Path dir;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    return Main.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err, true))
        .execute(args);
  }

  private static CapturedRequest request(String id, String response, Map<String, String> tags) {
    return new CapturedRequest(
        id,
        Instant.EPOCH,
        Api.OPENAI,
        "m",
        "upstream:main",
        "m",
        false,
        false,
        "{\"model\":\n\"m\"}".getBytes(UTF_8),
        response.getBytes(UTF_8),
        200,
        Outcome.COMPLETE,
        tags,
        "p",
        "c",
        new TokenUsage(3, 2, 1, true),
        1,
        2,
        0.25,
        List.of());
  }

  @Test
  void printsALineARequestWithItsJson() {
    try (var store = Store.open(dir, Durability.PROCESS)) {
      store.capture(request("a", "{\"ok\":\ntrue}", Map.of("task", "x")), null).join();
      store.capture(request("b", "no\njson", Map.of()), null).join();
    }
    assertThat(run("requests", "--data", dir.toString(), "--json")).isZero();
    var lines = out.toString().lines().map(Json::parse).toList();
    assertThat(lines).hasSize(2);
    var first = lines.getFirst();
    assertThat(first.at("/request/model").asString()).isEqualTo("m");
    assertThat(first.at("/response/ok").asBoolean()).isTrue();
    assertThat(first.path("usage"))
        .isEqualTo(
            Json.parse(
                """
                {"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"cached_tokens":1,
                 "estimated":true}\
                """));
    assertThat(first.at("/tags/task").asString()).isEqualTo("x");
    assertThat(lines.get(1).path("response").asString()).isEqualTo("no\njson");
  }

  @Test
  void selects() {
    try (var store = Store.open(dir, Durability.PROCESS)) {
      store.capture(request("a", "{}", Map.of("task", "x")), null).join();
      store.capture(request("b", "{}", Map.of()), null).join();
    }
    assertThat(run("requests", "--data", dir.toString(), "--tag", "task=x")).isZero();
    assertThat(out.toString().lines()).singleElement().asString().startsWith("a ");
  }

  @Test
  void saysInOneLineWhatToDoWithoutAStore() {
    assertThat(run("requests", "--data", dir.resolve("nowhere").toString())).isNotZero();
    assertThat(err.toString().lines()).singleElement().asString().contains("--data");
  }
}
