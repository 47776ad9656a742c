package dev.espalier.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.env.Task;
import dev.espalier.env.Tasks;
import io.modelcontextprotocol.server.McpServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Tasks that a model makes up: what it is shown, what becomes of what it says, and the file.
final class McpTasksTest {
  @TempDir private Path folder;
  private final List<ChatRequest> asked = new ArrayList<>();

  private McpTaskMaker.Made generate(int count, String... answers) throws IOException {
    ChatModel model =
        request -> {
          asked.add(request);
          var answer = answers[Math.min(asked.size(), answers.length) - 1];
          if (answer.equals("fails")) throw new ChatException(502, "no answer today");
          return Said.text(answer);
        };
    try (var http = new HttpServing()) {
      new ShoppingList().serve(McpServer.sync(http)).build();
      var source = new McpSource.Url(http.address(), Map.of());
      try (var tools = McpTools.open(source, Duration.ofMinutes(5))) {
        return McpTaskMaker.generate(model, tools, count, 1);
      }
    }
  }

  private String shown(int request) {
    return asked.get(request).messages().get(1).path("content").asString();
  }

  private static String answer(String... tasks) {
    var json = Json.object();
    var list = json.putArray("tasks");
    for (var task : tasks) list.addObject().put("task", task).put("difficulty", 2);
    return json.toString();
  }

  @Test
  void theModelIsShownTheServerAndAskedAgainForWhatIsNoUse() throws IOException {
    var made =
        generate(
            4,
            "Sure! Here are some tasks.",
            "{\"tasks\": [{\"task\": \"Buy salt.\", \"difficulty\": 1},"
                + "{\"task\": \" \", \"difficulty\": 1}, {\"task\": \"Buy\", \"difficulty\": 9}]}",
            "fails",
            "{\"list\": []}",
            answer("Buy bread", "buy SALT", "Clear the list", "Add 2 kg of salt", "Too many"));
    assertThat(made.tasks().stream().map(McpEnv::text))
        .containsExactly("Buy salt.", "Buy bread", "Clear the list", "Add 2 kg of salt");
    assertThat(made.tasks().stream().map(Task::id))
        .containsExactly("mcp-0", "mcp-1", "mcp-2", "mcp-3");
    assertThat(made.tasks().get(1).data().path("difficulty").asInt()).isEqualTo(2);
    assertThat(made.requests()).isEqualTo(5);
    assertThat(made.dropped())
        .containsExactly(
            "an answer that is not JSON",
            "a task without words: {\"task\":\" \",\"difficulty\":1}",
            "a task whose difficulty is none of 1 to 5: {\"task\":\"Buy\",\"difficulty\":9}",
            "no answer: no answer today",
            "an answer without \"tasks\"",
            "a task that there is already: buy SALT",
            "one more than was asked for: Too many");

    assertThat(shown(0))
        .contains("\"name\":\"remove_item\"", "prices (shop://prices)", "bread 3, salt 1")
        .endsWith("Make up 4 tasks.");
    assertThat(shown(1)).contains("an answer that is not JSON").doesNotContain("There are these");
    assertThat(shown(2)).contains("- Buy salt.").contains("without words").contains("1 to 5");
    assertThat(shown(4)).doesNotContain("1 to 5").endsWith("Make up 3 tasks.");
    var seeds = asked.stream().map(it -> it.json().path("seed").asLong()).distinct();
    assertThat(seeds).hasSize(5).allMatch(seed -> seed >= 0);
    assertThat(asked.getFirst().json().path("response_format").path("type").asString())
        .isEqualTo("json_schema");
  }

  @Test
  void aModelThatRepeatsItselfMakesFewerAndOneThatMakesNoneIsAnError() throws IOException {
    var made = generate(5, answer("Buy salt"));
    assertThat(made.tasks()).hasSize(1);
    assertThat(made.requests()).isEqualTo(4);
    assertThat(made.dropped()).hasSize(3);
    assertThatThrownBy(() -> generate(5, "{\"tasks\": []}"))
        .isInstanceOf(McpException.class)
        .hasMessage("the model made no task in 3 requests: an empty list");
  }

  private static List<Task> tasks(int count) {
    return IntStream.range(0, count).mapToObj(i -> McpTasks.task(i, "Buy " + i, 1)).toList();
  }

  @Test
  void tasksAreSplitGoneThroughAndReadAsTheyWereWritten() {
    var tasks = McpTasks.split(tasks(7), 2, 3);
    assertThat(tasks).isEqualTo(McpTasks.split(tasks(7), 2, 3));
    assertThat(tasks.training()).hasSize(5).doesNotContainAnyElementsOf(tasks.heldOut());
    assertThat(tasks.heldOut()).hasSize(2);
    var practised = Tasks.cycling(tasks.training());
    assertThat(practised.at(2)).isEqualTo(tasks.training().get(2));
    assertThat(practised.at(12).data()).isEqualTo(practised.at(2).data());
    assertThat(practised.at(12).id()).isEqualTo(practised.at(2).id() + "@2");
    assertThatThrownBy(() -> McpTasks.split(tasks(3), 3, 1)).hasMessageContaining("3 of 3 tasks");

    var file = folder.resolve("tasks.jsonl");
    tasks.write(file);
    assertThat(McpTasks.read(file)).isEqualTo(tasks);
  }

  @Test
  void aBadLineIsNamed() throws IOException {
    var good = "{\"id\":\"a\",\"set\":\"training\",\"task\":\"Buy salt\",\"difficulty\":1}";
    var file = folder.resolve("tasks.jsonl");
    for (var bad :
        List.of(
            List.of("{", "it is not JSON; mend the line"),
            List.of("[]", "it has no text \"id\""),
            List.of(good.replace("Buy salt", " "), "it has no text \"task\""),
            List.of(good, "it repeats line 1"),
            List.of(good.replace("\"a\"", "\"b\"").replace("salt", "salt!"), "it repeats line 1"),
            List.of(good.replace("training", "test"), "\"set\" is training or held-out, not test"),
            List.of(good.replace("1}", "0}"), "\"difficulty\" is 1 to 5, not 0"))) {
      Files.writeString(file, good + "\n\n" + bad.get(0) + "\n");
      assertThatThrownBy(() -> McpTasks.read(file))
          .isInstanceOf(McpException.class)
          .hasMessageStartingWith(file + ":3: " + bad.get(1));
    }
    Files.writeString(file, good.replace("training", "held-out"));
    assertThatThrownBy(() -> McpTasks.read(file)).hasMessageContaining("no task to practise on");
    assertThatThrownBy(() -> McpTasks.read(folder.resolve("none")))
        .hasMessageContaining("not exist");
  }
}
