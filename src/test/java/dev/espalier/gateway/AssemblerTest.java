package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.Json;
import dev.espalier.store.Api;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ObjectNode;

class AssemblerTest {
  private static @Nullable ObjectNode assemble(String... events) {
    var assembler = new OpenAiAssembler();
    for (var event : events) assembler.accept(event);
    return assembler.message();
  }

  @Test
  void joinsPiecesOfSeveralCallsAndChoices() {
    var message =
        assemble(
            """
            {"id":"c","object":"chat.completion.chunk","model":"m","system_fingerprint":"f",
             "choices":[{"index":1,"delta":{"role":"assistant","content":"b"}}]}\
            """,
            """
            {"id":"c","choices":[{"index":0,"delta":{"tool_calls":[
              {"index":1,"id":"y","type":"function","function":{"name":"g","arguments":"[1"}},
              {"index":0,"id":"x","type":"function","function":{"name":"f","arguments":""}}]}}]}\
            """,
            """
            {"id":"c","choices":[{"index":0,"delta":{"tool_calls":[
              {"index":1,"id":"y","function":{"name":"g","arguments":"]"}}]}},
              {"index":1,"delta":{"content":"c","reasoning_content":"hm"}}]}\
            """,
            """
            {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls",
              "logprobs":null},{"index":1,"delta":{},"finish_reason":"stop",
              "logprobs":{"content":[{"token":"b","logprob":-1}]}}]}\
            """,
            """
            {"id":"c","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\
            """,
            "[DONE]");
    assertThat(message)
        .isEqualTo(
            Json.parse(
                """
                {"id":"c","object":"chat.completion","model":"m","system_fingerprint":"f",
                 "usage":{"prompt_tokens":1,"completion_tokens":2},
                 "choices":[
                  {"index":0,"message":{"role":"assistant","content":null,"tool_calls":[
                    {"id":"y","type":"function","function":{"name":"g","arguments":"[1]"}},
                    {"id":"x","type":"function","function":{"name":"f","arguments":""}}]},
                   "finish_reason":"tool_calls"},
                  {"index":1,"message":{"role":"assistant","content":"bc",
                    "reasoning_content":"hm"},"finish_reason":"stop",
                   "logprobs":{"content":[{"token":"b","logprob":-1}]}}]}\
                """));
  }

  @Test
  void keepsAnErrorThatComesInAStream() {
    var message = assemble("{\"error\":{\"message\":\"overloaded\"}}");
    assertThat(message).isEqualTo(Json.parse("{\"error\":{\"message\":\"overloaded\"}}"));
  }

  @Test
  void understandsNothingInRubbish() {
    assertThat(assemble("", "null", "[1]", "{", "\u0000")).isNull();
  }

  /// Whatever the chunks, line ends and comments: the same events. The seed is in the message.
  @Test
  void splitsEventsWhereverTheChunksEnd() {
    for (long seed = 0; seed < 300; seed++) {
      var random = new Random(seed);
      var newline = new String[] {"\n", "\r\n", "\r"}[random.nextInt(3)];
      var text = new StringBuilder(": a comment" + newline);
      for (int i = 0; i < 5; i++) {
        text.append("event: x").append(newline).append("data:").append(i % 2 == 0 ? " " : "");
        text.append("{\"n\":").append(i).append(",\"é🌳\":1}").append(newline).append(newline);
      }
      var bytes = text.append("data: [DONE]").append(newline).toString().getBytes(UTF_8);
      var scanner = new SseScanner(Api.OPENAI);
      int events = 0;
      for (int from = 0; from < bytes.length; ) {
        int to = Math.min(bytes.length, from + 1 + random.nextInt(9));
        var chunk = Arrays.copyOfRange(bytes, from, to);
        for (var event : scanner.feed(chunk, chunk.length)) {
          assertThat(event).as("seed %d", seed).isEqualTo("{\"n\":%d,\"é🌳\":1}", events);
          events++;
        }
        boolean ended = to > bytes.length - newline.length();
        assertThat(scanner.ended()).as("seed %d", seed).isEqualTo(ended);
        from = to;
      }
      assertThat(events).as("seed %d", seed).isEqualTo(5);
    }
  }

  @Test
  void replacesTheModelsNameAndNothingElse() {
    var body = "{ \"a\": {\"model\": \"x\"}, \"model\" : \"gpt é\\\"\" , \"b\":[{\"model\":1}] }";
    assertThat(new String(ModelName.replace(body.getBytes(UTF_8), "new"), UTF_8))
        .isEqualTo("{ \"a\": {\"model\": \"x\"}, \"model\" : \"new\" , \"b\":[{\"model\":1}] }");
  }
}
