package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.Fixtures;
import dev.espalier.chat.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokensCommandTest {
  @TempDir Path dir;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void model() throws IOException {
    Files.writeString(dir.resolve("tokenizer.json"), Fixtures.tokenizerJson());
  }

  private int run(String... args) {
    return Main.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err, true))
        .execute(args);
  }

  @Test
  void textAndIdsAreTwoViewsOfTheSame() {
    assertThat(run("tokens", "--model", dir.toString(), "--text", " Zürich 🗼<|end|>", "--json"))
        .isZero();
    var first = Json.parse(out.toString());
    assertThat(first.path("text").asString()).isEqualTo(" Zürich 🗼<|end|>");
    assertThat(first.path("ids").size()).isGreaterThan(2);
    var ids = first.path("ids").toString().replaceAll("[\\[\\]]", "");
    out.getBuffer().setLength(0);
    assertThat(run("tokens", "--model", dir.toString(), "--ids", ids, "--json")).isZero();
    assertThat(Json.parse(out.toString())).isEqualTo(first);
  }

  @Test
  void badInputIsOneLineAndAnotherStatus() throws IOException {
    assertThat(run("tokens", "--model", dir.toString(), "--ids", "99999")).isNotZero();
    assertThat(err.toString().lines()).singleElement().asString().contains("outside");
    err.getBuffer().setLength(0);
    Files.writeString(dir.resolve("tokenizer.json"), "{");
    assertThat(run("tokens", "--model", dir.toString(), "--text", "a")).isNotZero();
    assertThat(err.toString().lines()).singleElement().asString().contains("not JSON");
    assertThat(out.toString()).isEmpty();
  }
}
