package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.env.ExampleEnv;
import dev.espalier.env.RolloutConfig;
import dev.espalier.env.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

@Execution(ExecutionMode.CONCURRENT)
class WorldOptionsTest {
  @TempDir private Path folder = Path.of("");

  private static World world(String... options) {
    var into = new WorldOptions();
    new CommandLine(into).parseArgs(options);
    return into.world(7, 4, id -> new byte[0]);
  }

  @Test
  void recordedTurnsAreTasksInTheSeedsOrderAgainAndAgain() throws IOException {
    var line =
        """
        {"messages": [{"role": "user", "content": "%s"}, {"role": "assistant", "content": "%s"}]}
        """;
    var file = folder.resolve("tasks.jsonl");
    Files.writeString(
        file, line.formatted("a", "A") + line.formatted("b", "B") + line.formatted("c", "C"));
    var world = world("--env", "examples", "--tasks", file.toString(), "--on", file.toString());
    assertThat(world.heldOut()).hasSize(3);
    var ids = new HashSet<String>();
    var answers = new HashSet<String>();
    for (int i = 0; i < 9; i++) {
      var task = world.tasks().at(i);
      assertThat(task.env()).isEqualTo(ExampleEnv.NAME);
      ids.add(task.id());
      if (i < 3) answers.add(task.data().path("expected").path("content").asString());
    }
    assertThat(ids).hasSize(9);
    assertThat(answers).containsExactlyInAnyOrder("A", "B", "C");
  }

  @Test
  void examplesOfOneSourceAreDifferentTasks() throws IOException {
    var line =
        """
        {"messages": [{"role": "user", "content": "%s"}, {"role": "assistant", "content": "A"}],
        "espalier": {"conversation": "c", "source": "s"}}\
        """
                .replace("\n", "")
            + "\n";
    var file = folder.resolve("twins.jsonl");
    Files.writeString(file, line.formatted("a") + line.formatted("b") + line.formatted("c"));
    var world = world("--env", "examples", "--tasks", file.toString(), "--on", file.toString());
    assertThat(world.heldOut()).extracting(Task::id).containsExactly("s", "s#2", "s#3");
    var practised = new HashSet<String>();
    for (int i = 0; i < 3; i++) practised.add(world.tasks().at(i).id());
    assertThat(practised).containsExactlyInAnyOrder("s", "s#2", "s#3");
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost:9000", "agent", "file:///agent", "http:///agent"})
  void anAgentThatCannotBeCalledIsRefused(String url) {
    assertThatThrownBy(() -> world("--env=agents", "--agent-url=" + url))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(url, "is not the address of an agent");
  }

  @ParameterizedTest
  @CsvSource({
    "--env=moon, 'port-alder, examples, code'",
    "--env=examples, '--tasks FILE'",
    "--env=mcp, '--mcp'",
    "--env=agents, '--tasks FILE'",
    "--agent-url=http://127.0.0.1:1/, 'not for --env port-alder'",
    "--tasks=x.jsonl, 'not for --env port-alder'",
    "--agent-port=7, 'not for --env port-alder'",
    "--timeout=0, 'at least 1'",
    "--held-out=0, 'at least 1'"
  })
  void whatMakesNoWorldIsRefused(String option, String why) {
    assertThatThrownBy(() -> world(option))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(why);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--things=2", "--regulars=3", "--typos=0.3", "--manner=rude"})
  void whatOnlyTheOfficeHasIsRefusedElsewhere(String option) {
    assertThatThrownBy(() -> world("--env", "code", option))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not for --env code");
  }

  @Test
  void functionsToWriteNeedNoFile() {
    var world = world("--env", "code", "--held-out", "3");
    assertThat(world.heldOut()).hasSize(3);
    assertThat(world.tasks().at(0).data()).isNotEqualTo(world.heldOut().getFirst().data());
  }

  @Test
  @Timeout(15)
  void aServersRequestHasTheTimeThatIsGiven() throws IOException {
    var file = folder.resolve("tasks.jsonl");
    var line = "{\"id\": \"%1$s\", \"set\": \"%1$s\", \"task\": \"%1$s\", \"difficulty\": 1}\n";
    Files.writeString(file, line.formatted("training") + line.formatted("held-out"));
    var options = new WorldOptions();
    new CommandLine(options)
        .parseArgs("--env=mcp", "--mcp=sleep 60", "--tasks=" + file, "--timeout=1");
    assertThat(options.patience()).isGreaterThan(Duration.ofSeconds(1));
    try (var world = options.world(7, 4, id -> new byte[0])) {
      ChatModel policy =
          request -> {
            throw new ChatException(400, "it is not asked");
          };
      var attempts = new RolloutConfig(1, 1, 9, 1, options.patience(), 0);
      var made = world.success(policy, attempts).trajectories().getFirst();
      assertThat(made.why()).contains("within 1.0 s");
    }
  }

  @Test
  void agentsHaveTasksOfTheirOwn() throws IOException {
    var file = folder.resolve("tasks.jsonl");
    Files.writeString(file, "{\"a\": 1}\n\n{\"id\": \"two\", \"a\": 2}\n");
    var options =
        new String[] {
          "--env=agents", "--tasks=" + file, "--on=" + file, "--agent-port=0", "--held-out=1"
        };
    try (var world = world(options)) {
      assertThat(world.heldOut()).hasSize(1);
      assertThat(world.tasks().at(0).id()).isEqualTo("1");
      assertThat(world.tasks().at(1).id()).isEqualTo("two");
      assertThat(world.tasks().at(3).data().path("a").asInt()).isEqualTo(2);
    }
    Files.writeString(file, "{\"a\": 1}\n[2]\n");
    assertThatThrownBy(() -> world(options)).hasMessageContaining(":2: a task is a JSON object");
    Files.writeString(file, "{\"a\": \n");
    assertThatThrownBy(() -> world(options)).hasMessageContaining(":1: no JSON");
  }
}
