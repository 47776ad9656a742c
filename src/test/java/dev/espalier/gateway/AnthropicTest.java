package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.Json;
import dev.espalier.store.Api;
import dev.espalier.store.TokenUsage;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AnthropicTest {
  private static final String REQUEST =
      """
      {"model":"claude-x","max_tokens":64,"system":"Be brief.","stream":true,
       "messages":[{"role":"user","content":"Weather in Bern?"}]}\
      """;

  private static final String STREAM =
      """
      event: message_start
      data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",\
      "model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,\
      "usage":{"input_tokens":20,"cache_read_input_tokens":5,"output_tokens":1}}}

      event: ping
      data: {"type":"ping"}

      event: content_block_start
      data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

      event: content_block_delta
      data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Let me "}}

      event: content_block_delta
      data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"look."}}

      event: content_block_stop
      data: {"type":"content_block_stop","index":0}

      event: content_block_start
      data: {"type":"content_block_start","index":1,"content_block":\
      {"type":"tool_use","id":"toolu_1","name":"weather","input":{}}}

      event: content_block_delta
      data: {"type":"content_block_delta","index":1,"delta":\
      {"type":"input_json_delta","partial_json":"{\\"city\\": \\"Be"}}

      event: content_block_delta
      data: {"type":"content_block_delta","index":1,"delta":\
      {"type":"input_json_delta","partial_json":"rn\\"}"}}

      event: content_block_stop
      data: {"type":"content_block_stop","index":1}

      event: message_delta
      data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},\
      "usage":{"output_tokens":33}}

      event: message_stop
      data: {"type":"message_stop"}

      """;

  @TempDir private Path dir;

  @Test
  void forwardsAStreamAndReassemblesTheMessage() throws Exception {
    try (var upstream =
            new ScriptedUpstream((request, wire) -> {
              wire.startStream();
              for (var event : STREAM.splitWithDelimiters("\n\n", 0)) {
                wire.chunk(event.getBytes(UTF_8));
              }
              wire.endStream();
            });
        var rig = Rig.before(upstream, dir)) {
      var response = rig.post("/anthropic/v1/messages", REQUEST, "x-api-key", "client-key-1");
      assertThat(Rig.text(response)).isEqualTo(STREAM);
      assertThat(upstream.requests.getFirst().path()).isEqualTo("/v1/messages");
      assertThat(upstream.requests.getFirst().headers()).containsEntry("x-api-key", "client-key-1");
      assertThat(upstream.requests.getFirst().text()).isEqualTo(REQUEST);

      var captured = rig.captured().getFirst();
      assertThat(captured.api()).isEqualTo(Api.ANTHROPIC);
      assertThat(captured.usage()).isEqualTo(new TokenUsage(25, 33, 5, false));
      assertThat(captured.responseJson())
          .isEqualTo(
              Json.parse(
                  """
                  {"id":"msg_1","type":"message","role":"assistant","model":"claude-x",
                   "content":[{"type":"text","text":"Let me look."},
                     {"type":"tool_use","id":"toolu_1","name":"weather","input":{"city":"Bern"}}],
                   "stop_reason":"tool_use","stop_sequence":null,
                   "usage":{"input_tokens":20,"cache_read_input_tokens":5,"output_tokens":33}}
                  """));
      assertThat(rig.store.rawStream(captured.id())).isEqualTo(response.body());
    }
  }

  @Test
  void forwardsAPlainResponse() throws Exception {
    var body =
        """
        {"id":"msg_1","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn",
         "usage":{"input_tokens":3,"output_tokens":2}}\
        """;
    try (var upstream = new ScriptedUpstream((request, wire) -> wire.json(200, body));
        var rig = Rig.before(upstream, dir)) {
      var response = rig.post("/anthropic/v1/messages", REQUEST.replace("\"stream\":true,", ""));
      assertThat(Rig.text(response)).isEqualTo(body);
      assertThat(rig.captured().getFirst().usage()).isEqualTo(new TokenUsage(3, 2, 0, false));
    }
  }
}
