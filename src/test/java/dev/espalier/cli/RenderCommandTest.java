package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RenderCommandTest {
  @TempDir Path dir;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String template, String conversations, String... more) throws IOException {
    var file = Files.writeString(dir.resolve("template.jinja"), template);
    var json = Files.writeString(dir.resolve("conversations.json"), conversations);
    var args =
        new String[] {"render", "--template", file.toString(), "--conversations", json.toString()};
    var all = Stream.of(args, more).flatMap(Arrays::stream);
    return Main.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err, true))
        .execute(all.toArray(String[]::new));
  }

  @Test
  void eachConversationIsALineWithItsTextOrItsError() throws IOException {
    var template =
        "{{ bos_token }}{{ strftime_now('%d %b %Y') }} {{ messages[0].content.strip() }}{{ eos_token }}";
    var conversations =
        """
        [{"name": "a", "ctx": {"messages": [{"role": "user", "content": " <é> "}]}},
         {"name": "b", "ctx": {"messages": []}},
         {"name": "c", "ctx": {"messages": [{"content": "x"}], "eos_token": "<end>"}}]
        """;
    assertThat(run(template, conversations, "--now", "2026-01-15T12:00:00", "--bos", "^", "--json"))
        .isZero();
    var lines = out.toString().lines().map(Json::parse).toList();
    assertThat(lines).hasSize(3);
    assertThat(lines.get(0))
        .isEqualTo(Json.parse("{\"name\": \"a\", \"text\": \"^15 Jan 2026 <é><EOS>\"}"));
    assertThat(lines.get(1).path("name").asString()).isEqualTo("b");
    assertThat(lines.get(1).path("error").asString()).startsWith("line 1, column ");
    assertThat(lines.get(2).path("text").asString()).endsWith(" x<end>");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void aTemplateThatIsNoneIsTheErrorOfEveryConversation() throws IOException {
    assertThat(run("{% if %}", "[{\"name\": \"a\", \"ctx\": {}}]", "--json")).isZero();
    assertThat(Json.parse(out.toString()).path("error").asString()).startsWith("line 1, column 7");
  }

  @Test
  void withoutJsonItIsForReading() throws IOException {
    assertThat(run("hello", "[{\"name\": \"a\", \"ctx\": {}}]")).isZero();
    assertThat(out.toString().lines()).containsExactly("=== a", "hello");
  }

  @Test
  void badInputIsOneLineAndAnotherStatus() throws IOException {
    assertThat(run("x", "[{\"name\": \"a\"}]")).isNotZero();
    assertThat(err.toString().lines()).singleElement().asString().contains("entry 0");
    err.getBuffer().setLength(0);
    assertThat(run("x", "[")).isNotZero();
    assertThat(err.toString().lines()).singleElement().asString().contains("not JSON");
    err.getBuffer().setLength(0);
    assertThat(run("x", "{}")).isNotZero();
    assertThat(err.toString().lines()).singleElement().asString().contains("not a list");
    assertThat(out.toString()).isEmpty();
  }
}
