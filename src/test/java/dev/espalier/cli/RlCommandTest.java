package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.Json;
import dev.espalier.env.Task;
import dev.espalier.env.Trajectory;
import dev.espalier.env.Trajectory.End;
import dev.espalier.store.Durability;
import dev.espalier.store.Run;
import dev.espalier.store.Store;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a run that cannot be leaves behind.
final class RlCommandTest {
  @TempDir private Path data = Path.of("");

  private String run(String... options) {
    var err = new StringWriter();
    var all = new ArrayList<>(List.of("rl", "--json", "--data=" + data));
    all.addAll(List.of(options));
    if (!all.toString().contains("--name")) all.add("--name=it");
    int status =
        Main.commandLine()
            .setOut(new PrintWriter(new StringWriter()))
            .setErr(new PrintWriter(err))
            .execute(all.toArray(String[]::new));
    assertThat(status).isEqualTo(1);
    return err.toString();
  }

  @Test
  void aStartOfWhichNothingCountsIsRefusedAndLeavesNothing() throws IOException {
    var failed =
        new Trajectory(
            new Task("mcp", "held-out", Json.object()),
            0,
            Json.array(),
            null,
            List.of(),
            End.FAILED,
            "an earlier command",
            Map.of());
    try (var store = Store.open(data, Durability.PROCESS)) {
      store.put("rl/it", 0, List.of(failed));
    }
    Files.createDirectories(data.resolve("runs/it"));
    var line = "{\"id\": \"%1$s\", \"set\": \"%1$s\", \"task\": \"%1$s\", \"difficulty\": 1}\n";
    var tasks = data.resolve("tasks.jsonl");
    Files.writeString(tasks, line.formatted("training") + line.formatted("held-out"));
    var said =
        run("--env=mcp", "--mcp=no-such-server", "--tasks=" + tasks, "--judge=http://127.0.0.1:1/");
    assertThat(said).contains("none of 1 attempts of the start").contains("no-such-server");
    try (var store = Store.openExisting(data)) {
      assertThat(store.stepsWithTrajectories("rl/it")).isEmpty();
      assertThat(store.runs()).extracting(Run::status).containsExactly("failed");
    }
  }

  @Test
  void aRunThatIsDoneStaysSoWhenAnotherOfItsNameIsRefused() throws IOException {
    var began = Instant.ofEpochMilli(1_700_000_000_000L);
    var done = new Run("rl/it", "rl", "done", began, began.plusSeconds(60), "\"config\"", "{}");
    try (var store = Store.open(data, Durability.PROCESS)) {
      store.put(done);
    }
    var checkpoint = Files.createDirectories(data.resolve("runs/it/step-1"));
    Files.writeString(checkpoint.resolve("progress.json"), "{\"identity\": \"another\"}");
    assertThat(run("--steps=1")).contains("of a run with other settings");
    try (var store = Store.openExisting(data)) {
      assertThat(store.runs()).containsExactly(done);
    }
  }

  @Test
  void whatIsRefusedAtOnceIsNoRun() {
    assertThat(run("--temperature=0")).contains("above 0 and at most 2");
    assertThat(run("--temperature=2.5")).contains("between 0 and 2");
    assertThat(run("--reward=envy=1")).contains("env, judge, format or length");
    assertThat(run("--group-size=1")).contains("only ppo learns");
    assertThat(run("--entropy=Infinity")).contains("entropy cannot count negatively or infinitely");
    assertThat(run("--beta=Infinity")).contains("beta cannot be negative or infinite");
    assertThat(run("--rank=100000")).contains("--rank 100000 is too high", "at most that");
    assertThat(run("--name=espalier-6m")).contains("the base model's own name");
    try (var store = Store.openExisting(data)) {
      assertThat(store.runs()).isEmpty();
    }
  }
}
