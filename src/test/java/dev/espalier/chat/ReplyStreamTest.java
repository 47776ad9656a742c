package dev.espalier.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ReplyStreamTest {
  private static final Tokenizer TOKENIZER = Tokenizer.parse(Fixtures.tokenizerJson());
  private static final String ARGUMENTS = "{\"name\": \"Find\", \"arguments\": {}}";

  @AfterAll
  static void close() {
    TOKENIZER.close();
  }

  /// Streams the completion and checks that the pieces are the final text; returns the text.
  private static String streamed(ToolCallSyntax syntax, String completion) {
    var stream = new ReplyStream(syntax, TOKENIZER);
    var out = new StringBuilder();
    for (int id : TOKENIZER.encode(completion)) out.append(stream.next(id));
    var before = out.toString();
    var reply = syntax.parse(completion, null);
    assertThat(out.append(stream.finish(reply)).toString())
        .as("%s: %s", syntax, completion)
        .isEqualTo(reply.message().text());
    return before;
  }

  @ParameterizedTest
  @EnumSource
  void thePiecesAreTheText(ToolCallSyntax syntax) {
    for (var completion :
        List.of(
            "",
            " ",
            "<think>",
            "<think>\n\n</think>\n\nHi.",
            "<think>\nhm\n</think>\n\nHi.",
            "<think>\n\n</think>\n\n<tool_call>" + ARGUMENTS + "</tool_call>",
            " Zürich 🗼 it is. ",
            " One moment.\n<|call|> Find\n city: Rome",
            " One moment.<|call|> broken here",
            "<|call|> Find",
            "Let me see.\n\n<tool_call>\n" + ARGUMENTS + "\n</tool_call>",
            "<tool_call>\n{\n</tool_call> after",
            "a < b and <tool or <tool_box>",
            ARGUMENTS,
            "{\"answer\": 1}",
            " [TOOL_CALLS][" + ARGUMENTS + "]",
            "See [TOOL_ and [TOOL_CALLS] nothing")) {
      streamed(syntax, completion);
    }
  }

  @Test
  void textComesAtOnceAndCallsNotAtAll() {
    assertThat(streamed(ToolCallSyntax.LINES, " Hi.<|call|> Find\n city: Rome")).isEqualTo("Hi.");
    assertThat(streamed(ToolCallSyntax.HERMES, "Hi.\n<tool_call>" + ARGUMENTS)).isEqualTo("Hi.");
    assertThat(streamed(ToolCallSyntax.HERMES, "1 < 2")).isEqualTo("1 < 2");
    assertThat(streamed(ToolCallSyntax.HERMES, "<think>\n\n</think>\n\nHi")).isEqualTo("Hi");
    assertThat(streamed(ToolCallSyntax.LLAMA3, ARGUMENTS)).isEmpty();
    assertThat(streamed(ToolCallSyntax.LLAMA3, "Hi {there}")).isEqualTo("Hi {there}");
  }
}
