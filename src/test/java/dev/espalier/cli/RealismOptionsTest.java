package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.env.Difficulty;
import dev.espalier.env.Realism;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

final class RealismOptionsTest {
  @Command
  private static final class Holder {
    @Mixin private final RealismOptions options = new RealismOptions();
  }

  private static Realism read(String... arguments) {
    var holder = new Holder();
    new CommandLine(holder).parseArgs(arguments);
    return holder.options.realism();
  }

  @Test
  void withoutOptionsItIsTheDemosTraffic() {
    assertThat(read()).isEqualTo(Realism.MODERATE);
  }

  @Test
  void everyDialReachesItsKnob() {
    var realism =
        read(
            "--typos=0.11",
            "--changes=0.12",
            "--omissions=0.13",
            "--rambling=0.14",
            "--carelessness=0.15",
            "--small-talk=0.16",
            "--manner=rude",
            "--mistaken=0.17",
            "--failing-tools=0.18",
            "--wrong-results=0.19",
            "--slowest-tool=PT0.2S");
    assertThat(realism)
        .isEqualTo(
            new Realism(
                new Difficulty(0.11, 0.12, 0.13, 0.14, 0.15, 0.16),
                "rude",
                0.17,
                0.18,
                0.19,
                Duration.ofMillis(200)));
  }

  @Test
  void nonsenseIsRefusedWithWhatIsAllowed() {
    assertThatThrownBy(() -> read("--typos=2")).hasMessageContaining("between 0 and 1");
    assertThatThrownBy(() -> read("--failing-tools=1")).hasMessageContaining("below 1");
    assertThatThrownBy(() -> read("--manner=surly"))
        .hasMessage("people write any, plain, terse, polite, chatty or rude, not surly");
  }
}
