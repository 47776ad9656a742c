package dev.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.chat.TinyFormat;
import dev.espalier.chat.ToolCallSyntax;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ArrayNode;

/// Stop texts, wherever in an answer they come.
final class AnswerTest {
  @TempDir private static Path dir = Path.of("");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "LLAMA3 | <answer>42</answer> and more | </answer> | <answer>42",
        "LLAMA3 | {\"name\": 42}</answer> and more | </answer> | {\"name\": 42}",
        "LLAMA3 | {\"name\": 42} | </answer> | {\"name\": 42}",
        "LLAMA3 | {\"name\": \"Fly\", \"parameters\": | \"Fly | {\"name\": ",
        "HERMES | It is.;; | ; | It is.",
        "HERMES | <tool_call>{}; and | ; | <tool_call>{}",
        "HERMES | Well; <tool_call>{\"name\": \"Fly\", \"arguments\": {}} | ; | Well",
        "MISTRAL | a <answer> and </answer> | <answer> | a ",
        "LINES | ` a b c` | b | `a `",
        "NONE | {\"a\": 1} | 1 | {\"a\": ",
      })
  void nothingGoesOutFromAStopTextOn(
      ToolCallSyntax syntax, String said, String stop, String expected) throws IOException {
    try (var format = TinyFormat.of(syntax, true, dir)) {
      var out = new StringBuilder();
      var answer = new Answer(format, List.of(stop), out::append);
      for (int id : format.tokenizer().encode(said)) {
        if (answer.add(new Generation.Token(id, 0, List.of()))) break;
      }
      var message = answer.finish(null);
      assertThat(message.text().stripTrailing()).isEqualTo(expected.stripTrailing());
      assertThat(out).hasToString(message.text());
      assertThat(message.calls()).isEmpty();
      assertThat(answer.stopped()).isEqualTo(said.contains(stop));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"\"", "[\"x\", \"\"]"})
  void anEmptyStopTextIsRefused(String stop) {
    var request = ChatRequest.of("m", messages(), null);
    request.json().set("stop", Json.parse(stop));
    assertThatThrownBy(request::sampling)
        .isInstanceOf(ChatException.class)
        .hasMessage("stop must not be empty: name a text, or leave it out")
        .satisfies(e -> assertThat(((ChatException) e).status()).isEqualTo(400));
  }

  private static ArrayNode messages() {
    var messages = Json.array();
    messages.addObject().put("role", "user").put("content", "hi");
    return messages;
  }
}
