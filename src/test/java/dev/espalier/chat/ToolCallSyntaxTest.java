package dev.espalier.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ArrayNode;

class ToolCallSyntaxTest {
  private static final ArrayNode TOOLS =
      (ArrayNode)
          Json.parse(
              """
              [{"type": "function", "function": {"name": "Find", "parameters": {"type": "object",
                "properties": {
                  "city": {"type": "string"},
                  "seats": {"type": "integer"},
                  "price": {"type": "number"},
                  "direct": {"type": "boolean"},
                  "stops": {"type": "array", "items": {"type": "string"}},
                  "who": {"type": "object"},
                  "note": {"type": ["string", "null"]},
                  "class": {"enum": ["1", "2"]},
                  "zip": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                  "deck": {"$ref": "#/$defs/deck"},
                  "any": {}},
                "$defs": {"deck": {"enum": ["1", "2", null]}}}}}]
              """);

  private static List<String> calls(Reply reply) {
    return reply.message().calls().stream().map(c -> c.name() + c.arguments()).toList();
  }

  private static String argument(String line) {
    var reply = ToolCallSyntax.LINES.parse("<|call|> Find\n " + line, TOOLS);
    assertThat(reply.unparseable()).isFalse();
    var arguments = Json.parse(reply.message().calls().getFirst().arguments());
    return arguments.properties().iterator().next().getValue().toString();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          city: Los Angeles      | "Los Angeles"
          city: 90210            | "90210"
          city: "quoted": x      | "\\"quoted\\": x"
          city: a\\nb\\\\n\\x    | "a\\nb\\\\n\\\\x"
          seats: 3               | 3
          seats: three           | "three"
          price: 2.50            | 2.50
          direct: true           | true
          stops: ["A", "B"]      | ["A","B"]
          who: {"name": "Bo"}    | {"name":"Bo"}
          note: null             | null
          note: none             | "none"
          class: 2               | "2"
          zip: 90210             | "90210"
          zip: null              | null
          deck: 2                | "2"
          deck: null             | null
          any: 2019-03-01        | "2019-03-01"
          any: 12                | 12
          unknown: 007           | "007"
          """)
  void aValueHasTheTypeThatTheSchemaSays(String line, String json) {
    // a CSV column cannot end in what it trims, and doubles no backslash: both are as written
    assertThat(Json.parse(argument(line))).isEqualTo(Json.parse(json));
  }

  @Test
  void anEmptyStringIsAValue() {
    assertThat(argument("city: ")).isEqualTo("\"\"");
  }

  @Test
  void linesHoldTextAndSeveralCalls() {
    var reply =
        ToolCallSyntax.LINES.parse(" Let me see.<|call|> Find\n city: Rome<|call|> Now", TOOLS);
    assertThat(reply.message().text()).isEqualTo("Let me see.");
    assertThat(calls(reply)).containsExactly("Find{\"city\":\"Rome\"}", "Now{}");
  }

  @Test
  void textWithoutACallIsText() {
    for (var syntax : ToolCallSyntax.values()) {
      var reply = syntax.parse(" In {Rome} it's [12].", TOOLS);
      assertThat(reply.unparseable()).isFalse();
      assertThat(reply.message().calls()).isEmpty();
      assertThat(reply.message().text().strip()).isEqualTo("In {Rome} it's [12].");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "<|call|>",
        "<|call|> ",
        "<|call|> Find a bus",
        "<|call|> Find\n city Rome",
        "<|call|> Find\ncity: Rome",
        "<|call|> Find\n : Rome",
        "<|call|> Find\n city: Rome\n",
        "<|call|> Find\n city: Rome\n city: Oslo",
        "<|call|> Find\n city: Rome<|call|>",
      })
  void brokenLinesAreSeen(String completion) {
    assertUnparseable(ToolCallSyntax.LINES, completion, TOOLS);
  }

  private static void assertUnparseable(
      ToolCallSyntax syntax, String completion, @Nullable ArrayNode tools) {
    assertThat(syntax.parse(completion, tools)).isEqualTo(Reply.unparseable(completion));
  }

  @Test
  void hermes() {
    var one =
        "<tool_call>\n{\"name\": \"Find\", \"arguments\": {\"city\": \"Rome\"}}\n</tool_call>";
    var reply = ToolCallSyntax.HERMES.parse("I'll look.\n" + one + "\n" + one, null);
    assertThat(reply.message().text()).isEqualTo("I'll look.");
    assertThat(calls(reply)).containsExactly("Find{\"city\":\"Rome\"}", "Find{\"city\":\"Rome\"}");
    var unclosed = "<tool_call>{\"name\": \"F\", \"arguments\": \"{\\\"a\\\": 1}\"}";
    assertThat(calls(ToolCallSyntax.HERMES.parse(unclosed, null))).containsExactly("F{\"a\":1}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "<tool_call>",
        "<tool_call>\n{\"name\": \"Find\"}\n</tool_call>",
        "<tool_call>\n{\"name\": 3, \"arguments\": {}}\n</tool_call>",
        "<tool_call>\n{\"name\": \"Find\", \"arguments\": {\"city\": \n</tool_call>",
        "<tool_call>\n{\"name\": \"Find\", \"arguments\": [1]}\n</tool_call>",
        "<tool_call>\n{\"name\": \"Find\", \"arguments\": {}}{}\n</tool_call>",
      })
  void brokenHermesIsSeen(String completion) {
    assertUnparseable(ToolCallSyntax.HERMES, completion, null);
  }

  @Test
  void llama3() {
    var one = "{\"name\": \"Find\", \"parameters\": {\"city\": \"Rome; {x}\"}}";
    for (var completion : List.of(one, " " + one + "\n", "<|python_tag|>" + one)) {
      assertThat(calls(ToolCallSyntax.LLAMA3.parse(completion, null)))
          .containsExactly("Find{\"city\":\"Rome; {x}\"}");
    }
    assertThat(calls(ToolCallSyntax.LLAMA3.parse(one + "; " + one, null))).hasSize(2);
    assertThat(ToolCallSyntax.LLAMA3.parse("{\"answer\": 1}", null))
        .isEqualTo(Reply.text("{\"answer\": 1}"));
    assertUnparseable(ToolCallSyntax.LLAMA3, "{\"name\": \"Find\", \"parameters\": {", null);
    assertUnparseable(ToolCallSyntax.LLAMA3, "<|python_tag|>print(1)", null);
  }

  @Test
  void mistral() {
    for (var completion :
        List.of(
            "[TOOL_CALLS][{\"name\": \"Find\", \"arguments\": {\"city\": \"Rome\"}, \"id\": \"a\"}]",
            "[TOOL_CALLS]Find[ARGS]{\"city\": \"Rome\"}",
            "[TOOL_CALLS]Find[CALL_ID]123456789[ARGS]{\"city\": \"Rome\"}",
            "[TOOL_CALLS]Find{\"city\": \"Rome\"}")) {
      assertThat(calls(ToolCallSyntax.MISTRAL.parse(completion, null)))
          .as(completion)
          .containsExactly("Find{\"city\":\"Rome\"}");
    }
    for (var broken :
        List.of(
            "[TOOL_CALLS]",
            "[TOOL_CALLS][]",
            "[TOOL_CALLS][{\"name\": \"Find\"}]",
            "[TOOL_CALLS]Find",
            "[TOOL_CALLS]Find[ARGS]{\"city\":",
            "[TOOL_CALLS]Find[ARGS]{}[TOOL_CALLS]")) {
      assertUnparseable(ToolCallSyntax.MISTRAL, broken, null);
    }
  }

  @Test
  void theTemplateSaysWhichSyntaxItIs() {
    assertThat(ToolCallSyntax.detect(dev.espalier.pretrain.BuiltinChat.template()))
        .isEqualTo(ToolCallSyntax.LINES);
    assertThat(ToolCallSyntax.detect("... '<tool_call>\\n{\"name\": \"' ..."))
        .isEqualTo(ToolCallSyntax.HERMES);
    assertThat(ToolCallSyntax.detect("<tool_call><function=name>")).isEqualTo(ToolCallSyntax.NONE);
    assertThat(ToolCallSyntax.detect("{{ messages }}")).isEqualTo(ToolCallSyntax.NONE);
  }
}
