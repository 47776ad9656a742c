package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.store.Outcome;
import dev.espalier.store.TokenUsage;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProxyTest {
  @TempDir private Path dir;

  @Test
  void forwardsAndStoresBytesAsTheyAre() throws Exception {
    try (var upstream = new ScriptedUpstream((request, wire) -> wire.json(200, Wires.RESPONSE));
        var rig = Rig.before(upstream, dir)) {
      var response = rig.post("/v1/chat/completions?x=a%20b", Wires.REQUEST, "x-mine", "1");
      assertThat(response.statusCode()).isEqualTo(200);
      assertThat(response.body()).isEqualTo(Wires.RESPONSE.getBytes(UTF_8));
      var sent = upstream.requests.getFirst();
      assertThat(sent.text()).isEqualTo(Wires.REQUEST);
      assertThat(sent.path()).isEqualTo("/v1/chat/completions?x=a%20b");
      assertThat(sent.headers()).containsEntry("x-mine", "1");

      var captured = rig.captured().getFirst();
      assertThat(captured.id())
          .isEqualTo(response.headers().firstValue("x-espalier-request-id").orElseThrow());
      assertThat(captured.request()).isEqualTo(Wires.REQUEST.getBytes(UTF_8));
      assertThat(captured.response()).isEqualTo(Wires.RESPONSE.getBytes(UTF_8));
      assertThat(captured.model()).isEqualTo("gpt-x");
      assertThat(captured.servedBy()).isEqualTo("upstream:main");
      assertThat(captured.usage()).isEqualTo(new TokenUsage(11, 1, 3, false));
      assertThat(captured.outcome()).isEqualTo(Outcome.COMPLETE);
    }
  }

  @Test
  void forwardsAStreamAndReassemblesIt() throws Exception {
    try (var upstream = new ScriptedUpstream((request, wire) -> Wires.toolCall(wire));
        var rig = Rig.before(upstream, dir)) {
      var response = rig.post("/v1/chat/completions", Wires.STREAM_REQUEST);
      assertThat(Rig.text(response)).endsWith("data: [DONE]\n\n");
      var captured = rig.captured().getFirst();
      assertThat(rig.store.rawStream(captured.id())).isEqualTo(response.body());
      var message = captured.responseJson().at("/choices/0/message");
      assertThat(message.at("/tool_calls/0/function/name").asString()).isEqualTo("add");
      assertThat(message.at("/tool_calls/0/function/arguments").asString())
          .isEqualTo("{\"a\":2,\"b\":2}");
      assertThat(message.at("/content").isNull()).isTrue();
      assertThat(captured.responseJson().at("/choices/0/finish_reason").asString())
          .isEqualTo("tool_calls");
      assertThat(captured.streamed()).isTrue();
      assertThat(captured.usage())
          .isNotNull()
          .matches(usage -> usage.estimated() && usage.promptTokens() > 0);
    }
  }
}
