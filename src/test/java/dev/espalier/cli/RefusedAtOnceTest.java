package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Options that could not be met are refused before there is anything to wait or to pay for.
final class RefusedAtOnceTest {
  @TempDir private Path folder = Path.of("");

  private static String refusal(String... arguments) {
    var err = new StringWriter();
    int status =
        Main.commandLine()
            .setOut(new PrintWriter(new StringWriter()))
            .setErr(new PrintWriter(err))
            .execute(arguments);
    assertThat(status).isEqualTo(1);
    return err.toString();
  }

  @Test
  void tasksThatCannotBeHeldOut() {
    var out = "--out=" + folder.resolve("tasks.jsonl");
    var nobody = "--url=http://127.0.0.1:1/v1";
    for (var heldOut : new String[] {"0", "60", "-1"}) {
      assertThat(refusal("tasks", "--mcp=none", nobody, "--model=m", out, "--held-out=" + heldOut))
          .contains("--held-out " + heldOut + ": at least 1, and fewer than the 60");
    }
  }

  @Test
  void benchmarksThatAreNotThere() {
    assertThat(refusal("bench", "constrained", "nonsense"))
        .contains("no benchmark is called \"nonsense\"");
  }
}
