package dev.espalier.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.store.Example;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExampleFileTest {
  private static final String GOOD =
      """
      {"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"hello"}]}
      """;

  @TempDir private Path dir;

  @Test
  void weightsSayWhichAnswersAreLearned() throws IOException {
    var file =
        file(
            """
            {"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"A","weight":0},\
            {"role":"user","content":"b"},{"role":"assistant","content":"B","weight":1},\
            {"role":"user","content":"c"},{"role":"assistant","content":"C"}]}
            """);
    var all = ExampleFile.read(file, Turns.ALL, false).examples();
    assertThat(all).extracting(e -> e.expected().text()).containsExactly("B", "C");
    assertThat(all).extracting(Example::conversation).containsOnly("examples.jsonl:1");
    assertThat(all).extracting(e -> e.request().messages().size()).containsExactly(3, 5);
    assertThat(all.getLast().request().json().toString()).doesNotContain("weight");
    var last = ExampleFile.read(file, Turns.LAST, false).examples();
    assertThat(last).extracting(e -> e.expected().text()).containsExactly("C");
  }

  @Test
  void toolsAndUnknownFieldsAreKept() throws IOException {
    var file =
        file(
            """
            {"messages":[{"role":"user","content":"a","name":"Ann"},{"role":"assistant","tool_calls":\
            [{"id":"1","type":"function","function":{"name":"t","arguments":"{\\"x\\":1}"}}]}],\
            "tools":[{"type":"function","function":{"name":"t"}}],"parallel_tool_calls":false,"extra":7}
            """);
    var example = ExampleFile.read(file, Turns.ALL, false).examples().getFirst();
    assertThat(example.request().json().toString())
        .isEqualTo(
            """
            {"messages":[{"role":"user","content":"a","name":"Ann"}],\
            "tools":[{"type":"function","function":{"name":"t"}}],"parallel_tool_calls":false,"extra":7}\
            """);
    assertThat(example.expected().calls().getFirst().arguments()).isEqualTo("{\"x\":1}");
    assertThat(example.source()).isEqualTo("examples.jsonl:1");
  }

  @Test
  void byteOrderMarksCarriageReturnsAndEmptyLinesDoNotMatter() throws IOException {
    var text = "\uFEFF" + GOOD.strip() + "\r\n\r\n   \n" + GOOD.strip();
    var read = ExampleFile.read(file(text), Turns.ALL, false);
    assertThat(read.lines()).isEqualTo(2);
    assertThat(read.examples())
        .extracting(Example::source)
        .containsExactly("examples.jsonl:1", "examples.jsonl:4");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"messages\":[ | not JSON",
        "{} {} | not JSON",
        "[] | not a JSON object: each line must be one, with \"messages\"",
        "{\"prompt\":\"a\",\"completion\":\"b\"} | messages must be a non-empty array",
        "{\"messages\":[]} | messages must be a non-empty array",
        "{\"messages\":[7]} | messages[0] must be an object with a role",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]} | no assistant message to learn from",
        "{\"messages\":[{\"role\":\"bot\",\"content\":\"a\"}]} | messages[0]: unknown message role \"bot\"",
        "{\"messages\":[{\"role\":\"user\",\"content\":3}]} | messages[0]: content must be a string",
        "{\"messages\":[{\"role\":\"user\"}]} | messages[0]: content is missing",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\",\"weight\":1}]} | messages[0]: only assistant messages",
        "{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"}]} | messages[0]: an answer needs a prompt",
        "{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\",\"weight\":2}]} | messages[0]: weight must be 0 or 1, not 2",
        "{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\",\"weight\":\"1\"}]} | weight must be 0 or 1, not \"1\"",
        "{\"messages\":[{\"role\":\"assistant\",\"content\":\"\"}]} | messages[0]: neither content nor tool_calls",
        "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":{}}]} | messages[0]: tool_calls must be an array",
        "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{}]}]} | messages[0]: a tool call has no function name",
        "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"t\",\"arguments\":\"{x\"}}]}]}"
            + " | messages[0]: the arguments of t are not one JSON object: {x",
        "{\"functions\":[],\"messages\":[]} | functions is the old form: use tools",
        "{\"tools\":3,\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]} | tools must be an array",
        "{\"tools\":[{}],\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]} | tools[0] has no function with a name",
        "{\"parallel_tool_calls\":1,\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]} | parallel_tool_calls must be true or false",
      })
  void aBadLineIsNamedWithItsFault(String line, String fault) throws IOException {
    var file = file(GOOD + line + "\n" + GOOD);
    assertThatThrownBy(() -> ExampleFile.read(file, Turns.ALL, false))
        .isInstanceOf(DatasetException.class)
        .hasMessageStartingWith(file + ":2: ")
        .hasMessageContaining(fault)
        .hasMessageNotContainingAny("\n");
  }

  @Test
  void oneBadLineAmongTenThousandIsRefusedOrCounted() throws IOException {
    var lines = new StringBuilder();
    int bad = 1 + new Random(11).nextInt(10_000);
    for (int i = 1; i <= 10_000; i++) {
      lines.append(i == bad ? GOOD.replace("]}", "]") : GOOD.replace("hi", "hi " + i));
    }
    var file = file(lines.toString());
    assertThatThrownBy(() -> ExampleFile.read(file, Turns.ALL, false))
        .hasMessageStartingWith(file + ":" + bad + ": not JSON")
        .hasMessageEndingWith("--skip-bad");
    var read = ExampleFile.read(file, Turns.ALL, true);
    assertThat(read.examples()).hasSize(9_999);
    assertThat(read.lines()).isEqualTo(10_000);
    assertThat(read.bad()).singleElement().asString().startsWith(file + ":" + bad + ": not JSON");
  }

  @Test
  void brokenUtf8IsABadLine() throws IOException {
    var file = dir.resolve("broken.jsonl");
    var bytes = GOOD.replace("hi", "\u00e9").getBytes(StandardCharsets.ISO_8859_1);
    Files.write(file, bytes);
    assertThatThrownBy(() -> ExampleFile.read(file, Turns.ALL, false))
        .hasMessageStartingWith(file + ":1: not JSON: Invalid UTF-8");
    assertThat(ExampleFile.read(file(GOOD.replace("hi", "é€😀")), Turns.ALL, false).examples())
        .first()
        .extracting(e -> e.request().messages().get(0).path("content").asString())
        .isEqualTo("é€😀");
  }

  @Test
  void aFileWithoutExamplesIsAnError() throws IOException {
    var empty = file("\n");
    assertThatThrownBy(() -> ExampleFile.read(empty, Turns.ALL, false))
        .hasMessage(empty + " holds no examples (0 lines, 0 left out)");
    var bad = file("x");
    assertThatThrownBy(() -> ExampleFile.read(bad, Turns.ALL, true))
        .hasMessageContaining("1 left out, the first for: " + bad + ":1: not JSON");
    assertThatThrownBy(() -> ExampleFile.read(dir.resolve("none"), Turns.ALL, false))
        .hasMessageEndingWith("does not exist");
  }

  @Test
  void whatIsWrittenIsReadBack() throws IOException {
    var examples = Traffic.conversations(20, new Random(5), true);
    var file = dir.resolve("written.jsonl");
    ExampleFile.write(file, examples);
    assertThat(ExampleFile.read(file, Turns.ALL, false).examples()).isEqualTo(examples);
  }

  private Path file(String text) throws IOException {
    return Files.writeString(dir.resolve("examples.jsonl"), text);
  }
}
