package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What is refused before anything is read or trained.
final class DistilCommandTest {
  @TempDir private Path folder = Path.of("");

  private String refused(String... options) {
    var err = new StringWriter();
    var all = new ArrayList<>(List.of("distil", "--data=" + folder.resolve("data")));
    all.addAll(List.of(options));
    int status =
        Main.commandLine()
            .setOut(new PrintWriter(new StringWriter()))
            .setErr(new PrintWriter(err))
            .execute(all.toArray(String[]::new));
    assertThat(status).isEqualTo(1);
    assertThat(err.toString()).startsWith("espalier: ").hasLineCount(1);
    assertThat(folder).isEmptyDirectory();
    return err.toString();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--of=m",
        "--tag=a=b",
        "--last=PT1H",
        "--min-score=0.5",
        "--own-answers",
        "--prompt-version=p"
      })
  void aFileIsNotFilteredAsCapturedRequestsAre(String option) {
    assertThat(refused("--name=it", "--from=x.jsonl", option)).contains("not with --from");
  }

  @Test
  void capturedRequestsHaveNoBadLines() {
    assertThat(refused("--name=it", "--skip-bad")).contains("name it with --from");
  }

  @Test
  void capturedRequestsAreInAStoreThatIsThere() {
    assertThat(refused("--name=it")).contains("no store in " + folder.resolve("data"));
  }
}
