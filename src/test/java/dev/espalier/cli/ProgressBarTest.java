package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

/// A log gets ten lines, a terminal one that renews itself.
final class ProgressBarTest {
  private static String shown(boolean terminal, int total) {
    var text = new StringWriter();
    var bar = new ProgressBar("training", new PrintWriter(text), terminal);
    for (int done = 1; done <= total; done++) bar.show(done, total, "loss 0.5");
    return text.toString();
  }

  @Test
  void aLogHasALineForEachTenth() {
    assertThat(shown(false, 250).lines())
        .hasSize(10)
        .first()
        .isEqualTo("  training 25/250  loss 0.5");
    assertThat(shown(false, 3).lines()).hasSize(3);
    assertThat(shown(false, 250)).doesNotContain("\r");
  }

  @Test
  void aTerminalHasOneLineThatEnds() {
    var shown = shown(true, 40);
    assertThat(shown.lines().toList().getLast()).contains("[##############################] 40/40");
    assertThat(shown).contains("\r").endsWith(System.lineSeparator());
  }
}
