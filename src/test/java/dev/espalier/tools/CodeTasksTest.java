package dev.espalier.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Message;
import dev.espalier.chat.Usage;
import dev.espalier.env.Step;
import dev.espalier.env.Tasks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Tasks from a file, and those that are made.
@Timeout(300)
final class CodeTasksTest {
  private static final String LINE =
      """
      {"id": "%s", "prompt": "Add.", "function": "add", "shown": [], \
      "hidden": [{"arguments": [1, 2], "expected": 3}]}
      """;

  @TempDir Path folder;

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("tasks.jsonl"), text);
  }

  @Test
  void afterTheLastTaskComesTheFirst() throws IOException {
    var tasks = CodeTasks.read(file(LINE.formatted("a") + "\n" + LINE.formatted("b")));
    assertThat(tasks.size()).isEqualTo(2);
    assertThat(List.of(tasks.at(0).id(), tasks.at(1).id(), tasks.at(2).id(), tasks.at(-1).id()))
        .containsExactly("a", "b", "a", "b");
    assertThat(tasks.at(0).env()).isEqualTo(CodeEnv.NAME);
    assertThat(CodeTask.read(tasks.at(1).data()).task()).isEqualTo(tasks.at(1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"id\": \"b\",                | \"prompt\": 3,      | \"id\" is missing",
        "\"prompt\": \"Add.\",         | ``                  | \"prompt\" is missing",
        "\"prompt\": \"Add.\"          | \"prompt\": 3       | \"prompt\" must be text",
        "\"prompt\": \"Add.\"          | \"prompt\": \" \"   | \"prompt\" is empty",
        "\"function\": \"add\",        | ``                  | \"function\" is missing",
        "\"function\": \"add\"         | \"function\": \"a.b\" | \"a.b\" cannot name a function",
        "\"shown\": [],                | ``                  | \"shown\" is missing",
        "\"shown\": []                 | \"shown\": {}       | \"shown\" must be a list of tests",
        "\"shown\": []                 | \"shown\": [1]      | shown test 1 has no list of \"arguments\"",
        "\"arguments\": [1, 2],        | ``                  | hidden test 1 has no list of \"arguments\"",
        "\"arguments\": [1, 2]         | \"arguments\": 1    | hidden test 1 has no list of \"arguments\"",
        ", \"expected\": 3             | ``                  | hidden test 1 has no \"expected\"",
        "\"expected\": 3               | \"expects\": 3      | hidden test 1 has no field \"expects\"",
        "\"shown\": []                 | \"shwon\": []       | a task has no field \"shwon\"",
        "[{\"arguments\": [1, 2], \"expected\": 3}] | []     | \"hidden\" is empty",
        "\"id\": \"b\"                 | \"id\": \"a\"       | an earlier task has the id \"a\"",
        "{\"id\"                       | \"id\"              | not JSON",
      })
  void aBadLineIsNamedWithItsFault(String whole, String broken, String fault) throws IOException {
    var bad = LINE.formatted("b").replace(whole, broken);
    var file = file(LINE.formatted("a") + "\n" + bad);
    assertThatThrownBy(() -> CodeTasks.read(file))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(file + ", line 3: ")
        .hasMessageContaining(fault);
  }

  @Test
  void aFileWithoutTasksIsRefused() throws IOException {
    var empty = file("\n");
    assertThatThrownBy(() -> CodeTasks.read(empty)).hasMessage(empty + " holds no task");
    assertThatThrownBy(() -> CodeTasks.read(folder.resolve("none")))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("cannot read the tasks in");
  }

  /// JavaScript's answers against Java's: each kind of puzzle checks itself.
  @Test
  void everyReferenceSolutionScoresFullMarks() {
    var maker = CodeEnv.maker(SandboxLimits.DEFAULT);
    for (var puzzles : List.of(CodePuzzles.practised(3), CodePuzzles.heldOut(3))) {
      var functions = new HashSet<String>();
      for (int number = 0; number < 60; number++) {
        var task = puzzles.at(number);
        assertThat(puzzles.at(number)).isEqualTo(task);
        if (!functions.add(task.data().path("function").asString())) continue;
        var reply = "```js\n" + puzzles.solution(number) + "\n```";
        var completion =
            new Completion(
                new Message.Assistant(reply, List.of()), FinishReason.STOP, new Usage(1, 1), null);
        assertThat(maker.open(task, 1).step(completion))
            .as(task.data().toString())
            .isEqualTo(new Step.Done(1, "all 10 tests passed"));
      }
      assertThat(functions).hasSize(CodePuzzle.KINDS);
    }
  }

  @Test
  void nobodyPractisesOnWhatIsHeldOut() {
    var practised = prompts(CodePuzzles.practised(3));
    var heldOut = prompts(CodePuzzles.heldOut(3));
    assertThat(practised).doesNotContainAnyElementsOf(heldOut).hasSizeGreaterThan(70);
    assertThat(heldOut).hasSizeGreaterThan(20);
  }

  private static Set<String> prompts(Tasks puzzles) {
    return LongStream.range(0, 2000)
        .mapToObj(number -> puzzles.at(number).data().path("prompt").asString())
        .collect(Collectors.toSet());
  }
}
