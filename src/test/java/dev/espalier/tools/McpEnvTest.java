package dev.espalier.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.Json;
import dev.espalier.chat.ToolCall;
import dev.espalier.env.Environments;
import dev.espalier.env.RolloutConfig;
import dev.espalier.env.Rollouts;
import dev.espalier.env.Step;
import dev.espalier.env.Task;
import dev.espalier.env.Trajectory;
import dev.espalier.env.Trajectory.End;
import io.modelcontextprotocol.server.McpServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Attempts with a server's real tools: each has a server, and so a state, of its own.
@Execution(ExecutionMode.CONCURRENT)
final class McpEnvTest {
  private static final Duration LONG = Duration.ofMinutes(5);

  @TempDir private Path pids;

  private List<ProcessHandle> servers() throws IOException {
    try (var files = Files.list(pids)) {
      return files
          .map(file -> Long.parseLong(file.getFileName().toString()))
          .flatMap(pid -> ProcessHandle.of(pid).stream())
          .toList();
    }
  }

  private long started() throws IOException {
    try (var files = Files.list(pids)) {
      return files.count();
    }
  }

  private Rollouts rollouts(int size, int retries) {
    var maker = McpEnv.maker(ShoppingServer.command(pids, "well"), LONG);
    return new Rollouts(
        Environments.of(Map.of(McpEnv.NAME, maker)),
        new RolloutConfig(size, 4, 50, 1, LONG, retries));
  }

  private static Task task(int number) {
    return McpTasks.task(number, "put thing " + number + " on the list", 1);
  }

  /// Adds what no other attempt adds, looks at the list, and says what it saw.
  private static Completion shops(ChatRequest request) {
    var messages = request.messages();
    int turn = messages.size();
    var last = messages.get(turn - 1);
    if (last.path("role").asString().equals("tool")) {
      return Said.text(last.path("content").asString());
    }
    var item = Json.object().put("item", "thing of " + request.json().path("seed"));
    return Said.calls(
        new ToolCall("a", "add_item", item.toString()), new ToolCall("b", "show_list", "{}"));
  }

  @Test
  void attemptsHaveAStateOfTheirOwnAndLeaveNoProcess() throws IOException {
    var groups = rollouts(3, 0).run(List.of(task(1), task(2)), McpEnvTest::shops, 1);
    assertThat(groups).hasSize(2);
    var seen = new HashSet<String>();
    for (var group : groups) {
      assertThat(group.trajectories()).hasSize(3);
      for (var one : group.trajectories()) {
        assertThat(one.end()).as(one.why()).isEqualTo(End.DONE);
        assertThat(one.reward(Trajectory.ENV)).isZero();
        assertThat(one.tools()).hasSize(3);
        var messages = one.messages();
        assertThat(messages.get(0).path("content").asString()).endsWith("A list for the shop.");
        assertThat(messages.get(1).path("content").asString()).isEqualTo(McpEnv.text(one.task()));
        assertThat(messages.get(3).path("tool_call_id").asString()).isEqualTo("a");
        assertThat(messages.get(3).path("content").asString()).isEqualTo("added");
        assertThat(messages.get(4).path("tool_call_id").asString()).isEqualTo("b");
        var list = messages.get(4).path("content").asString();
        assertThat(list).matches("\\{thing of -?\\d+=1}");
        seen.add(list);
      }
    }
    assertThat(seen).hasSize(6);
    assertThat(started()).isEqualTo(6);
    assertThat(servers()).isEmpty();
  }

  @Test
  void anAttemptWhoseServerDiesIsBegunAnew() throws IOException {
    var killed = new AtomicBoolean();
    ChatModel policy =
        request -> {
          try {
            if (!killed.getAndSet(true)) {
              for (var server : servers()) {
                server.destroyForcibly();
                server.onExit().join();
              }
            }
          } catch (IOException e) {
            throw new IllegalStateException(e);
          }
          return shops(request);
        };
    var one = rollouts(1, 1).run(List.of(task(1)), policy, 1).getFirst().trajectories().getFirst();
    assertThat(one.end()).as(one.why()).isEqualTo(End.DONE);
    assertThat(started()).isEqualTo(2);
    assertThat(servers()).isEmpty();
  }

  @Test
  void mistakesAreResultsAndLongResultsAreCut() throws IOException {
    try (var http = new HttpServing()) {
      new ShoppingList().serve(McpServer.sync(http)).build();
      var maker = McpEnv.maker(new McpSource.Url(http.address(), Map.of()), LONG);
      try (var env = maker.open(task(1), 1)) {
        env.start();
        var item = Json.object().put("item", "x".repeat(20_000)).toString();
        var step =
            (Step.Continue)
                env.step(
                    Said.calls(
                        new ToolCall("1", "buy", "{}"),
                        new ToolCall("2", "add_item", "salt"),
                        new ToolCall("3", "add_item", item),
                        new ToolCall("4", "show_list", "{}")));
        var results = step.messages().stream().map(it -> it.path("content").asString()).toList();
        assertThat(results.get(0)).startsWith("{\"error\":\"there is no tool buy; ");
        assertThat(results.get(1)).isEqualTo("{\"error\":\"the arguments are not JSON\"}");
        assertThat(results.get(2)).isEqualTo("added");
        assertThat(results.get(3)).endsWith("xx … (4004 more characters are left out)");
        assertThat(env.step(Said.text("done"))).isEqualTo(new Step.Done(0, "answered"));
      }
      assertThat(http.sessions).isEmpty();
    }
  }
}
