package dev.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatFormat;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.chat.TinyFormat;
import dev.espalier.chat.ToolCall;
import dev.espalier.chat.ToolCallSyntax;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
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
      var message = answer.finish(ChatRequest.of("m", messages(), null), new int[0]).message();
      assertThat(message.text().stripTrailing()).isEqualTo(expected.stripTrailing());
      assertThat(out).hasToString(message.text());
      assertThat(message.calls()).isEmpty();
      assertThat(answer.stopped()).isEqualTo(said.contains(stop));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {";;", ";;;", ";;;;"})
  void noPieceEndsWithHalfACharacter(String stop) throws IOException {
    try (var format = TinyFormat.of(ToolCallSyntax.NONE, true, dir)) {
      var pieces = new ArrayList<String>();
      var answer = new Answer(format, List.of(stop), pieces::add);
      for (int id : format.tokenizer().encode("Hi 😀 there 🗼🗼!")) {
        answer.add(new Generation.Token(id, 0, List.of()));
      }
      var _ = answer.finish(ChatRequest.of("m", messages(), null), new int[0]);
      assertThat(pieces).noneMatch(it -> Character.isLowSurrogate(it.charAt(0)));
      assertThat(String.join("", pieces)).isEqualTo("Hi 😀 there 🗼🗼!");
    }
  }

  private static List<ToolCall> calls(
      ChatFormat format, String said, boolean parallel, int... prompt) {
    var request = ChatRequest.of("m", messages(), null);
    request.json().put("parallel_tool_calls", parallel);
    var answer = new Answer(format, List.of(), text -> {});
    for (int id : format.tokenizer().encode(said))
      answer.add(new Generation.Token(id, 0, List.of()));
    return answer.finish(request, prompt).message().calls();
  }

  /// A call that cannot be read is text, but not unseen: the reward for form needs to know.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "<tool_call>{\"name\": \"Fly\", \"arguments\": {}}</tool_call> | false",
        "<tool_call>{\"name\": \"Fly\", \"arguments\": {</tool_call> | true",
        "Hello. | false",
      })
  void aCallThatCannotBeReadIsSaid(String said, boolean unparseable) throws IOException {
    try (var format = TinyFormat.of(ToolCallSyntax.HERMES, true, dir)) {
      var answer = new Answer(format, List.of(), text -> {});
      for (int id : format.tokenizer().encode(said))
        answer.add(new Generation.Token(id, 0, List.of()));
      var reply = answer.finish(ChatRequest.of("m", messages(), null), new int[0]);
      assertThat(reply.unparseable()).isEqualTo(unparseable);
    }
  }

  /// Equal calls at different times are different calls; the same one again is the same.
  @Test
  void noTwoCallsOfAConversationAreCalledTheSame() throws IOException {
    var call = "<tool_call>{\"name\": \"Now\", \"arguments\": {}}</tool_call>";
    try (var format = TinyFormat.of(ToolCallSyntax.HERMES, true, dir)) {
      var first = calls(format, call + call, true, 1, 2);
      var later = calls(format, call + call, true, 1, 2, 3);
      assertThat(calls(format, call + call, true, 1, 2)).isEqualTo(first);
      assertThat(Stream.concat(first.stream(), later.stream()).map(ToolCall::id).distinct())
          .hasSize(4);
    }
  }

  @Test
  void whereCallsMustNotBeParallelTheFirstIsHandedOver() throws IOException {
    var said =
        "<tool_call>{\"name\": \"A\", \"arguments\": {}}</tool_call><tool_call>{\"name\": \"B\", \"arguments\": {}}</tool_call>";
    try (var format = TinyFormat.of(ToolCallSyntax.HERMES, true, dir)) {
      assertThat(calls(format, said, true)).extracting(ToolCall::name).containsExactly("A", "B");
      assertThat(calls(format, said, false)).extracting(ToolCall::name).containsExactly("A");
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
