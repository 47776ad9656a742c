package dev.espalier.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.ChatModel;
import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.chat.ToolCall;
import dev.espalier.chat.Usage;
import dev.espalier.env.Env;
import dev.espalier.env.Environments;
import dev.espalier.env.RolloutConfig;
import dev.espalier.env.Rollouts;
import dev.espalier.env.Step;
import dev.espalier.env.Task;
import dev.espalier.env.Trajectory;
import dev.espalier.env.Trajectory.End;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// The tests decide, whatever the code or its author does.
@Timeout(300)
@Execution(ExecutionMode.CONCURRENT)
final class CodeEnvTest {
  private static final Environments.Maker MAKER =
      CodeEnv.maker(new SandboxLimits(Duration.ofSeconds(3), 16 << 20, 2000));
  private static final Task ADD =
      CodeTask.read(
              Json.parse(
                  """
                  {"id": "add-1", "prompt": "Add two numbers.", "function": "add",
                   "shown": [{"arguments": [1, 2], "expected": 3}],
                   "hidden": [{"arguments": [-1, 1], "expected": 0},
                              {"arguments": [0.5, 2], "expected": 2.5}]}\
                  """))
          .task();
  private static final String RIGHT = "function add(a, b) { return a + b }";

  private static Env open() {
    return MAKER.open(ADD, 1);
  }

  private static Completion says(String text) {
    return new Completion(
        new Message.Assistant(text, List.of()), FinishReason.STOP, new Usage(1, 1), null);
  }

  private static Completion calls(ToolCall... calls) {
    return new Completion(
        new Message.Assistant("", List.of(calls)), FinishReason.TOOL_CALLS, new Usage(1, 1), null);
  }

  private static ToolCall call(String tool, String code) {
    return new ToolCall("call_1", tool, Json.object().put("code", code).toString());
  }

  private static Step submitted(String code) {
    return open().step(calls(call("submit_code", code)));
  }

  private static JsonNode answer(Step step) {
    var message = ((Step.Continue) step).messages().getFirst();
    assertThat(message.path("role").asString()).isEqualTo("tool");
    assertThat(message.path("tool_call_id").asString()).isEqualTo("call_1");
    return Json.parse(message.path("content").asString());
  }

  @Test
  void thePromptTellsTheShownTestsAndNoHiddenOne() {
    var start = open().start();
    var prompt = start.messages().get(0).path("content").asString();
    assertThat(prompt).contains("Add two numbers.", "add(1, 2) is 3").doesNotContain("-1", "2.5");
    assertThat(start.tools())
        .extracting(it -> it.path("function").path("name").asString())
        .containsExactly("run_code", "submit_code");
  }

  @Test
  void codeIsTriedAsOftenAsWanted() {
    var env = open();
    var tried = answer(env.step(calls(call("run_code", RIGHT + "console.log('hi'); add(1, 2)"))));
    assertThat(tried).isEqualTo(Json.parse("{\"output\": \"hi\\n\", \"value\": 3}"));
    var failed = answer(env.step(calls(call("run_code", "console.log('hi'); oops"))));
    assertThat(failed.path("error").asString()).contains("oops");
    assertThat(failed.path("output").asString()).isEqualTo("hi\n");
    assertThat(env.step(calls(call("submit_code", RIGHT))))
        .isEqualTo(new Step.Done(1, "all 3 tests passed"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Here it is:\n```js\n%s\n```\nDone.",
        "```\nwrong\n```\nor rather\n```javascript\n%s\n```",
        "```js title=\"x\"\r\n%s```",
      })
  void aFencedBlockIsASubmission(String reply) {
    assertThat(open().step(says(reply.formatted(RIGHT))))
        .isEqualTo(new Step.Done(1, "all 3 tests passed"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "I cannot.", "```js\nfunction add(", RIGHT})
  void aReplyWithoutCodeIsTheEnd(String reply) {
    assertThat(open().step(says(reply))).isEqualTo(new Step.Done(0, "no code was handed in"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "const add = (a, b) => Math.round(a + b)  | 2 of 3 tests passed; add(0.5, 2) gave 3, not 2.5",
        "const add = () => 3                      | 1 of 3 tests passed; add(-1, 1) gave 3, not 0",
        "const add = (a, b) => String(a + b)      | 0 of 3 tests passed; add(1, 2) gave \"3\", not 3",
        "const add = () => NaN                    | 0 of 3 tests passed; add(1, 2) gave no JSON, not 3",
        "const sum = () => 3                      | 0 of 3 tests passed; add(1, 2) failed: Ref",
        "throw 'no'                               | 0 of 3 tests passed; add(1, 2) failed: no was",
        "function add(a) { while (a === 0.5); return 3 - 3 * (a < 0) } | 2 of 3 tests passed; add(0.5",
      })
  void theFirstFailureIsNamed(String code, String why) {
    assertThat(submitted(code))
        .isInstanceOfSatisfying(
            Step.Done.class,
            done -> {
              assertThat(done.reward()).isZero();
              assertThat(done.why()).startsWith(why).doesNotContain("\n");
            });
  }

  /// There is no comparison in the sandbox to fool and no expected value to find.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Object.prototype.toJSON = () => 3; function add() { return {} }",
        "JSON.stringify = () => '3'; function add() { return 4 }",
        "function add() { return { toJSON: () => 3, valueOf: () => 0, equals: () => true } }",
        "function add() { return { value: 3, expected: 3 } }",
        "Object.is = () => true; Array.prototype.every = () => true; function add() {}",
        "console.error('{\"value\":3}'); console.log('{\"value\":3}'); function add() {}",
        "function add() { return new Proxy({}, { get: () => true }) }",
        "globalThis.n ??= 0; const all = [3, 0, 2.5]; function add() { return all[n++] }",
      })
  void aSubmissionCannotFakeItsTests(String code) {
    assertThat(((Step.Done) submitted(code)).reward()).isZero();
  }

  @Test
  void nonsenseIsAnErrorOfTheTool() {
    var env = open();
    for (var call :
        List.of(
            call("no_such_tool", RIGHT),
            new ToolCall("call_1", "run_code", "{"),
            new ToolCall("call_1", "run_code", "[]"),
            new ToolCall("call_1", "submit_code", "{\"code\": 3}"),
            new ToolCall("call_1", "submit_code", "{}"))) {
      assertThat(answer(env.step(calls(call))).has("error")).isTrue();
    }
    assertThat(env.step(calls(call("run_code", "1"), call("submit_code", RIGHT))))
        .isEqualTo(new Step.Done(1, "all 3 tests passed"));
  }

  @Test
  void aPolicySolvesATaskInTwoTurns() {
    Iterator<Completion> script =
        List.of(calls(call("run_code", RIGHT + " add(1, 2)")), calls(call("submit_code", RIGHT)))
            .iterator();
    ChatModel policy = request -> script.next();
    var config = new RolloutConfig(1, 5, 200, 1, Duration.ofMinutes(4), 0);
    var rollouts = new Rollouts(Environments.of(Map.of(CodeEnv.NAME, MAKER)), config);
    var made = rollouts.run(List.of(ADD), policy, 1).getFirst().trajectories().getFirst();
    assertThat(made.end()).isEqualTo(End.DONE);
    assertThat(made.turns()).hasSize(2);
    assertThat(made.reward(Trajectory.ENV)).isEqualTo(1);
    assertThat(made.why()).isEqualTo("all 3 tests passed");
    assertThat(made.messages().get(2).path("content").asString())
        .isEqualTo("{\"output\":\"\",\"value\":3}");
  }
}
