package dev.espalier.env;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.chat.Usage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

class ExampleEnvTest {
  private static final String TWO =
      """
      {"role": "assistant", "tool_calls": [
        {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\\"a\\": 1, \\"b\\": \\"x\\"}"}},
        {"id": "2", "type": "function", "function": {"name": "g", "arguments": "{}"}}]}\
      """;
  private static final String SWAPPED =
      """
      {"role": "assistant", "content": "one moment", "tool_calls": [
        {"id": "8", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        {"id": "9", "type": "function", "function": {"name": "f", "arguments": "{\\"b\\":\\"x\\",\\"a\\":1.0}"}}]}\
      """;
  private static final String ONE =
      """
      {"role": "assistant", "tool_calls": [
        {"id": "2", "type": "function", "function": {"name": "g", "arguments": "{}"}}]}\
      """;
  private static final String BROKEN =
      """
      {"role": "assistant", "tool_calls": [
        {"id": "2", "type": "function", "function": {"name": "g", "arguments": "{"}}]}\
      """;
  private static final String TEXT = "{\"role\": \"assistant\", \"content\": \"Which one?\"}";
  private static final String SPACED = "{\"role\": \"assistant\", \"content\": \" Which one? \"}";

  private static String json(String name) {
    return switch (name) {
      case "two" -> TWO;
      case "swapped" -> SWAPPED;
      case "one" -> ONE;
      case "broken" -> BROKEN;
      case "text" -> TEXT;
      default -> SPACED;
    };
  }

  @ParameterizedTest
  @CsvSource({
    "two, two, 1",
    "two, swapped, 1",
    "two, one, 0",
    "one, two, 0",
    "one, broken, 0",
    "one, text, 0",
    "text, text, 1",
    "text, spaced, 1",
    "text, one, 0"
  })
  void theRewardIsWhetherTheAnswerIsTheRecordedOne(String recorded, String said, double reward) {
    var messages = (ArrayNode) Json.parse("[{\"role\": \"user\", \"content\": \"Do it\"}]");
    var task = ExampleEnv.task("t1", messages, null, (ObjectNode) Json.parse(json(recorded)));
    var environments = Environments.of(java.util.Map.of(ExampleEnv.NAME, ExampleEnv.maker()));
    var answer = (Message.Assistant) ChatRequest.message(Json.parse(json(said)));
    try (var env = environments.open(task, 1)) {
      assertThat(env.start().messages()).isEqualTo(messages);
      var step = env.step(new Completion(answer, FinishReason.STOP, new Usage(1, 1), null));
      assertThat(step)
          .isInstanceOfSatisfying(
              Step.Done.class,
              done -> {
                assertThat(done.reward()).isEqualTo(reward);
              });
    }
  }

  /// A mask would make what is sampled differ from what is trained.
  @Test
  void aRecordedToolIsNotStrictToAPolicy() {
    var messages = (ArrayNode) Json.parse("[{\"role\": \"user\", \"content\": \"Do it\"}]");
    var tools =
        Json.parse("[{\"type\": \"function\", \"function\": {\"name\": \"g\", \"strict\": true}}]");
    var task = ExampleEnv.task("t1", messages, tools, (ObjectNode) Json.parse(ONE));
    try (var env = ExampleEnv.maker().open(task, 1)) {
      assertThat(env.start().tools())
          .hasToString("[{\"type\":\"function\",\"function\":{\"name\":\"g\"}}]");
    }
  }
}
