package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.espalier.chat.Json;
import dev.espalier.store.Api;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Routes, keys, tags, prices, feedback and redaction.
@Execution(ExecutionMode.CONCURRENT)
class OperationsTest {
  @TempDir private Path dir;

  private static ScriptedUpstream.Script answer(String text) {
    return (request, wire) -> wire.json(200, Wires.RESPONSE.replace("\"4\"", "\"" + text + "\""));
  }

  @Test
  void oneCallSwitchesAModelAndItLasts() throws Exception {
    try (var first = new ScriptedUpstream(answer("first"));
        var second = new ScriptedUpstream(answer("second"))) {
      var config =
          GatewayConfig.of(
              0, Upstream.of("first", first.base()), Upstream.of("second", second.base()));
      try (var rig = new Rig(dir, config, LocalModels.none())) {
        assertThat(Rig.text(rig.post("/v1/chat/completions", Wires.REQUEST))).contains("first");
        var put =
            rig.put(
                "/api/routes/gpt-x", "{\"target\":{\"upstream\":\"second\",\"model\":\"small\"}}");
        assertThat(put.statusCode()).isEqualTo(200);
        assertThat(Rig.text(rig.post("/v1/chat/completions", Wires.REQUEST))).contains("second");
        assertThat(second.requests.getFirst().text())
            .isEqualTo(Wires.REQUEST.replace("\"gpt-x\"", "\"small\""));
        assertThat(rig.captured().getLast().servedModel()).isEqualTo("small");
        assertThat(rig.get("/v1/models")).contains("gpt-x");
      }
      try (var rig = new Rig(dir, config, LocalModels.none())) {
        assertThat(rig.get("/api/routes/gpt-x")).contains("second");
        assertThat(Rig.text(rig.post("/v1/chat/completions", Wires.REQUEST))).contains("second");
        assertThat(rig.delete("/api/routes/gpt-x").statusCode()).isEqualTo(200);
        assertThat(rig.delete("/api/routes/gpt-x").statusCode()).isEqualTo(404);
        assertThat(Rig.text(rig.post("/v1/chat/completions", Wires.REQUEST))).contains("first");
      }
    }
  }

  @Test
  void fallsBackWhereTheTargetFailsBeforeItsFirstByte() throws Exception {
    try (var broken = new ScriptedUpstream((request, wire) -> wire.json(503, "{}"));
        var good = new ScriptedUpstream(answer("good"))) {
      var config =
          GatewayConfig.of(
              0, Upstream.of("broken", broken.base()), Upstream.of("good", good.base()));
      try (var rig = new Rig(dir, config, LocalModels.none())) {
        rig.put(
            "/api/routes/gpt-x",
            "{\"target\":{\"upstream\":\"broken\"},\"fallback\":{\"upstream\":\"good\"}}");
        assertThat(Rig.text(rig.post("/v1/chat/completions", Wires.REQUEST))).contains("good");
        broken.stop();
        assertThat(Rig.text(rig.post("/v1/chat/completions", Wires.REQUEST))).contains("good");
        assertThat(rig.captured())
            .hasSize(2)
            .allMatch(r -> r.fellBack() && r.servedBy().equals("upstream:good"));
        assertThat(rig.get("/metrics")).contains("espalier_fallback_total 2");
      }
    }
  }

  @Test
  void refusesRoutesToNowhere() throws Exception {
    try (var upstream = new ScriptedUpstream(answer("x"));
        var rig = Rig.before(upstream, dir)) {
      for (var bad :
          List.of(
              "{\"target\":{\"upstream\":\"nobody\"}}",
              "{\"target\":{\"adapter\":\"nobody\"}}",
              "{\"target\":{}}",
              "{}",
              "{\"target\":{\"upstream\":\"main\"},\"typo\":1}",
              "not json")) {
        var response = rig.put("/api/routes/m", bad);
        assertThat(response.statusCode()).as(bad).isEqualTo(400);
        assertThat(Rig.text(response)).contains("\"error\"");
      }
    }
  }

  @Test
  void asksForAKeyAndNeverSendsItUpstream() throws Exception {
    try (var upstream = new ScriptedUpstream(answer("ok"))) {
      var config =
          GatewayConfig.of(0, Upstream.of("main", upstream.base())).restricted(true, false);
      try (var rig = new Rig(dir, config, LocalModels.none())) {
        var issued = Json.parse(Rig.text(rig.post("/api/keys", "{\"name\":\"laptop\"}")));
        var key = issued.path("key").asString();
        var bearer = "Bearer " + key;
        assertThat(rig.post("/v1/chat/completions", Wires.REQUEST).statusCode()).isEqualTo(401);
        assertThat(
                rig.post("/v1/chat/completions", Wires.REQUEST, "authorization", bearer)
                    .statusCode())
            .isEqualTo(200);
        assertThat(upstream.requests.getFirst().headers()).doesNotContainKey("authorization");
        assertThat(rig.get("/api/keys")).contains("laptop").doesNotContain(key);
        assertThat(rig.store.keys().getFirst().hash()).doesNotContain(key).hasSize(64);
        rig.delete("/api/keys/" + issued.path("id").asString());
        assertThat(
                rig.post("/v1/chat/completions", Wires.REQUEST, "authorization", bearer)
                    .statusCode())
            .isEqualTo(401);
      }
    }
  }

  @Test
  void sendsTheConfiguredKeyAndStoresNoKey() throws Exception {
    var secret = "sk-secret-0123456789";
    ScriptedUpstream.Script echo =
        (request, wire) ->
            wire.json(
                401,
                "{\"error\":{\"message\":\"bad key "
                    + request.headers().get("authorization")
                    + "\"}}");
    try (var upstream = new ScriptedUpstream(echo)) {
      var keyed =
          new Upstream(
              "main", upstream.base(), Set.of(Api.OPENAI), secret, List.of("*"), Upstream.TIMEOUT);
      try (var rig = new Rig(dir, GatewayConfig.of(0, keyed), LocalModels.none())) {
        rig.post("/v1/chat/completions", Wires.REQUEST, "authorization", "Bearer client-key-1");
        assertThat(upstream.requests.getFirst().headers())
            .containsEntry("authorization", "Bearer " + secret);
        assertThat(rig.captured().getFirst().responseText())
            .doesNotContain(secret)
            .contains(Redaction.MARK);
      }
      var forwarding = GatewayConfig.of(0, Upstream.of("main", upstream.base()));
      try (var rig = new Rig(dir.resolve("2"), forwarding, LocalModels.none())) {
        rig.post(
            "/v1/chat/completions", Wires.REQUEST, "authorization", "Bearer client-key-0123456789");
        assertThat(upstream.requests.getLast().headers())
            .containsEntry("authorization", "Bearer client-key-0123456789");
        assertThat(rig.captured().getFirst().responseText())
            .doesNotContain("client-key-0123456789");
      }
    }
  }

  @Test
  void leavesWordsAloneThatStandWhereAKeyIsAskedFor() throws Exception {
    try (var upstream = new ScriptedUpstream(answer("The assistant said anything"));
        var rig = Rig.before(upstream, dir)) {
      var body = Wires.REQUEST.replace("2+2?", "anything, my-assistant-placeholder");
      for (var word : List.of("anything", "assistant", "said", "my-assistant-placeholder")) {
        rig.post("/v1/chat/completions", body, "authorization", "Bearer " + word);
        var captured = rig.captured().getLast();
        assertThat(captured.request()).isEqualTo(body.getBytes(UTF_8));
        assertThat(captured.responseText()).contains("The assistant said anything");
      }
    }
  }

  @Test
  void tagsGroupsPricesAndTakesFeedback() throws Exception {
    try (var upstream = new ScriptedUpstream(answer("ok"));
        var rig = Rig.before(upstream, dir)) {
      rig.put("/api/prices/gpt-x", "{\"input\":2,\"output\":10,\"cached_input\":1}");
      var body = Wires.REQUEST.replaceFirst("\\{", "{\"metadata\":{\"team\":\"blue\"},");
      var response =
          rig.post(
              "/v1/chat/completions",
              body,
              "x-espalier-tags",
              "task=sum, lang=en",
              "x-espalier-conversation",
              "talk-1");
      rig.post("/v1/chat/completions", Wires.REQUEST);
      rig.post("/v1/chat/completions", Wires.REQUEST.replace("Be brief.", "Be verbose."));
      assertThat(upstream.requests.getFirst().text()).isEqualTo(body);
      assertThat(upstream.requests.getFirst().headers()).doesNotContainKey("x-espalier-tags");

      var id = response.headers().firstValue("x-espalier-request-id").orElseThrow();
      var sent =
          rig.post(
              "/api/feedback", "{\"request_id\":\"" + id + "\",\"score\":0.5,\"label\":\"good\"}");
      assertThat(sent.statusCode()).isEqualTo(200);
      assertThat(rig.post("/api/feedback", "{\"request_id\":\"x\",\"score\":1}").statusCode())
          .isEqualTo(404);
      assertThat(rig.post("/api/feedback", "{\"request_id\":\"x\"}").statusCode()).isEqualTo(400);
      assertThat(rig.post("/api/feedback", "{\"request_id\":\"x\",\"score\":\"1\"}").statusCode())
          .isEqualTo(400);

      var all = rig.captured();
      var first = all.getFirst();
      assertThat(first.tags()).isEqualTo(Map.of("team", "blue", "task", "sum", "lang", "en"));
      assertThat(first.conversationId()).isEqualTo("talk-1");
      assertThat(first.cost()).isEqualTo((8 * 2 + 3 * 1 + 1 * 10) / 1e6);
      assertThat(first.feedback().getFirst().label()).isEqualTo("good");
      assertThat(first.promptVersion()).isEqualTo(all.get(1).promptVersion());
      assertThat(first.promptVersion()).isNotEqualTo(all.get(2).promptVersion());
      assertThat(rig.post("/v1/chat/completions", body, "x-espalier-tags", "nonsense").statusCode())
          .isEqualTo(400);
    }
  }

  @Test
  void redactsBeforeStoringAndNothingElse() throws Exception {
    var card = "4111111111111111";
    try (var upstream = new ScriptedUpstream((request, wire) -> Wires.text(wire))) {
      var file = dir.resolve("espalier.json");
      Files.writeString(file, "{\"redact\":[\"\\\\b\\\\d{16}\\\\b\",\"four\"]}");
      var config =
          ConfigFile.read(
              file, Map.of(), GatewayConfig.of(0, Upstream.of("main", upstream.base())));
      try (var rig = new Rig(dir, config, LocalModels.none())) {
        var body =
            Wires.STREAM_REQUEST
                .replace("2+2?", "my card is " + card)
                .replace("[1, 2.50]", "{\"card\": %1$s, \"%1$s\": [1, %1$s]}".formatted(card));
        rig.post(
            "/v1/chat/completions",
            body,
            "x-espalier-tags",
            "card=%1$s,%1$s=card".formatted(card),
            "x-espalier-conversation",
            card);
        assertThat(upstream.requests.getFirst().text()).contains(card);
        var captured = rig.captured().getFirst();
        assertThat(new String(captured.request(), UTF_8))
            .doesNotContain(card)
            .contains("my card is [redacted]")
            .contains("{\"card\":\"[redacted]\",\"[redacted]\":[1,\"[redacted]\"]}");
        assertThat(captured.responseText()).doesNotContain("four").contains("[redacted]");
        assertThat(captured.tags()).isEqualTo(Map.of("card", "[redacted]", "[redacted]", "card"));
        assertThat(captured.conversationId()).matches("[0-9a-f]{16}");
        assertThat(rig.store.rawStream(captured.id())).isEmpty();
        rig.post(
            "/api/feedback",
            """
            {"request_id": "%1$s", "label": "%2$s", "comment": "not %2$s"}
            """
                .formatted(captured.id(), card));
        var stored = rig.captured().getFirst().feedback().getFirst();
        assertThat(stored.label()).isEqualTo("[redacted]");
        assertThat(stored.comment()).isEqualTo("not [redacted]");
      }
    }
  }

  @Test
  void aStreamsBytesHaveNoKeyOfTheClient() throws Exception {
    var key = "client-key-0123456789";
    ScriptedUpstream.Script script =
        (request, wire) -> {
          wire.startStream();
          wire.event("{\"error\":{\"message\":\"no such key: " + key + "\"}}");
          wire.event("[DONE]");
          wire.endStream();
        };
    try (var upstream = new ScriptedUpstream(script);
        var rig = Rig.before(upstream, dir)) {
      rig.post("/v1/chat/completions", Wires.STREAM_REQUEST, "authorization", "Bearer " + key);
      var captured = rig.captured().getFirst();
      assertThat(captured.responseText()).contains(Redaction.MARK).doesNotContain(key);
      assertThat(rig.store.rawStream(captured.id()))
          .asString(UTF_8)
          .contains(Redaction.MARK)
          .doesNotContain(key);
    }
  }

  @Test
  void readsItsConfigurationStrictly() throws Exception {
    var file = dir.resolve("espalier.json");
    Files.writeString(dir.resolve("key"), "from-a-file\n");
    Files.setPosixFilePermissions(dir.resolve("key"), PosixFilePermissions.fromString("rw-------"));
    Files.writeString(
        file,
        """
        {"upstreams": [
           {"name": "a", "url": "https://a.example/v1", "kind": "openai", "key_env": "A_KEY",
            "models": ["gpt-*"], "timeout_seconds": 2.5},
           {"name": "b", "url": "https://b.example", "kind": "anthropic", "key_file": "key"}],
         "prices": {"gpt-4o": {"input": 1, "output": 2}}, "require_key": true, "no_egress": true,
         "retention": {"days": 30, "megabytes": 10}, "max_body_bytes": 1000}
        """);
    var config = ConfigFile.read(file, Map.of("A_KEY", "from-env"), GatewayConfig.of(7700));
    assertThat(config.upstreams())
        .extracting(Upstream::key)
        .containsExactly("from-env", "from-a-file");
    assertThat(config.upstreams().getFirst().timeout()).hasMillis(2500);
    assertThat(config.upstreams().getFirst().answers("gpt-4o")).isTrue();
    assertThat(config.upstreams().getFirst().answers("claude")).isFalse();
    assertThat(config.keepFor()).hasDays(30);
    assertThat(config.keepBytes()).isEqualTo(10_000_000);
    assertThat(config.requireKey() && config.noEgress()).isTrue();
    assertThat(config.toString()).doesNotContain("from-env").doesNotContain("from-a-file");

    for (var bad :
        List.of(
            "{\"upstrams\": []}",
            "{\"port\": \"high\"}",
            "{\"redact\": [\"(\"]}",
            "{\"upstreams\": [{\"name\": \"a\"}]}",
            "{\"upstreams\": [{\"name\": \"a\", \"url\": \"ftp://x\"}]}",
            "{\"upstreams\": [{\"name\": \"a\", \"url\": \"http://x\", \"key_env\": \"UNSET\"}]}",
            "{")) {
      Files.writeString(file, bad);
      assertThat(catchThrowable(() -> ConfigFile.read(file, Map.of(), GatewayConfig.of(7700))))
          .as(bad)
          .isInstanceOf(IllegalArgumentException.class);
    }
    Files.setPosixFilePermissions(dir.resolve("key"), PosixFilePermissions.fromString("rw-r--r--"));
    Files.writeString(
        file, "{\"upstreams\": [{\"name\": \"b\", \"url\": \"http://b\", \"key_file\": \"key\"}]}");
    assertThat(catchThrowable(() -> ConfigFile.read(file, Map.of(), GatewayConfig.of(7700))))
        .hasMessageContaining("chmod 600");
  }

  @Test
  void keepsTheAdminApiToThisMachineAndItsOwner() throws Exception {
    try (var upstream = new ScriptedUpstream(answer("x"));
        var rig = Rig.before(upstream, dir)) {
      assertThat(rig.get("/api/routes")).isEqualTo("{\"routes\":[]}");
      var page = rig.request("/api/routes").header("origin", "https://evil.example").GET().build();
      assertThat(rig.send(page).statusCode()).isEqualTo(403);
      assertThat(rig.get("/health")).contains("ok");
    }
  }

  @Test
  void refusesToConnectBeyondTheUpstreams() throws Exception {
    try (var upstream = new ScriptedUpstream(answer("x"))) {
      var config =
          GatewayConfig.of(0, Upstream.of("main", upstream.base())).restricted(false, true);
      try (var rig = new Rig(dir, config, LocalModels.none())) {
        assertThat(rig.post("/v1/chat/completions", Wires.REQUEST).statusCode()).isEqualTo(200);
        var egress = Egress.of(config);
        assertThat(egress.allows("127.0.0.1")).isTrue();
        assertThat(egress.allows("localhost")).isTrue();
        assertThat(egress.allows("api.example.com")).isFalse();
        assertThat(egress.allows("10.0.0.1")).isFalse();
        assertThat(catchThrowable(() -> InetAddress.getAllByName("api.example.com")))
            .hasMessageContaining("--no-egress");
      }
    }
  }
}
