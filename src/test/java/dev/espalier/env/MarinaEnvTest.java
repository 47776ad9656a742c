package dev.espalier.env;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Message;
import dev.espalier.chat.ToolCall;
import dev.espalier.chat.Usage;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The office's book decides: it is right after the right calls, whatever was said, and wrong after
/// any others.
final class MarinaEnvTest {
  private static final Realism HARD =
      new Realism(new Difficulty(0.1, 0.6, 0.4, 0.5, 0.3, 0.3), "any", 0.3, 0.2, 0, Duration.ZERO);

  private static MarinaEnv open(Realism realism, Task task, long seed) {
    return (MarinaEnv) MarinaEnv.maker(realism).open(task, seed);
  }

  private static Completion says(String text) {
    return new Completion(
        new Message.Assistant(text, List.of()), FinishReason.STOP, new Usage(1, 1), null);
  }

  private static Completion calls(MarinaTask task) {
    var call = new ToolCall("call_1", task.tool(), task.arguments().toString());
    return new Completion(
        new Message.Assistant("", List.of(call)), FinishReason.TOOL_CALLS, new Usage(1, 1), null);
  }

  /// Makes the calls, again when a tool fails, and answers small talk; the person is gone after the
  /// last.
  private static Step play(MarinaEnv env, List<MarinaTask> calls) {
    env.start();
    for (var call : calls) {
      if (env.chatting()) env.step(says("We are open all day."));
      for (int trial = 0; trial < 50; trial++) {
        var step = env.step(calls(call));
        if (!(step instanceof Step.Continue(var messages))) {
          assertThat(call).isSameAs(calls.getLast());
          return step;
        }
        if (!messages.getFirst().path("content").asString().contains("error")) break;
      }
    }
    return new Step.Done(0, "the person is still there");
  }

  @ParameterizedTest
  @ValueSource(strings = {"captured", "held-out", "unseen"})
  void everySolutionScoresFullMarks(String set) {
    for (int number = 0; number < 150; number++) {
      for (var realism : List.of(Realism.NONE, Realism.MODERATE, HARD)) {
        var env =
            open(
                realism,
                MarinaEnv.task(set, 3, number, new Errands(1 + number % 3, 0, List.of())),
                number);
        assertThat(play(env, env.solution()))
            .as("%s %d", set, number)
            .isEqualTo(new Step.Done(1, "the book is right"));
      }
    }
  }

  @Test
  void oneWrongValueOrOneCallTooFewIsFailure() {
    for (int number = 0; number < 60; number++) {
      var task = MarinaEnv.task("captured", 4, number, new Errands(2, 0, List.of()));
      var env = open(Realism.NONE, task, 1);
      var calls = env.solution();
      var first = calls.getFirst();
      var slot = first.arguments().propertyNames().stream().toList().getLast();
      boolean whole = slot.equals("litres") || slot.equals("nights");
      var wrong = first.arguments().deepCopy();
      if (whole) wrong.put(slot, 9999);
      else wrong.put(slot, "something else");
      var changed = List.of(new MarinaTask(first.tool(), wrong), calls.get(1));
      assertThat(play(env, changed))
          .isInstanceOfSatisfying(
              Step.Done.class,
              done -> {
                assertThat(done.reward()).isBetween(0.0, 0.5);
                assertThat(done.why()).contains(first.tool());
              });

      var idle = open(Realism.NONE, task, 1);
      idle.start();
      idle.step(says("It is done."));
      assertThat(idle.step(says("It is done."))).isInstanceOf(Step.Done.class);
    }
  }

  @Test
  void aBookThatIsHalfRightEarnsLessThanHalf() {
    var env = open(Realism.NONE, MarinaEnv.task("captured", 4, 1, Errands.ANY), 1);
    var wanted = env.solution().getFirst();
    var wrong = wanted.arguments().deepCopy().put("vessel", "Another One");
    int slots = wanted.arguments().size();
    assertThat(wanted.arguments().has("vessel")).isTrue();
    assertThat(play(env, List.of(new MarinaTask(wanted.tool(), wrong))))
        .isInstanceOfSatisfying(
            Step.Done.class,
            done -> assertThat(done.reward()).isEqualTo(0.5 * slots / (slots + 1.0)));
  }

  @Test
  void regularsComeAgainAndPeopleComeForTheErrandsOnly() {
    var errands = new Errands(1, 5, List.of("lookup_vessel", "order_fuel"));
    var vessels = new HashMap<String, Set<String>>();
    for (var set : List.of("captured", "held-out")) {
      for (int number = 0; number < 200; number++) {
        var wanted = open(Realism.MODERATE, MarinaEnv.task(set, 8, number, errands), 1).solution();
        for (var one : wanted) {
          assertThat(errands.tools()).contains(one.tool());
          vessels.computeIfAbsent(set, it -> new HashSet<>()).add(one.vessel());
        }
      }
    }
    assertThat(vessels.get("captured")).hasSize(5).isEqualTo(vessels.get("held-out"));
  }

  @Test
  void anErrandThatTheOfficeHasNoToolForIsRefused() {
    assertThatThrownBy(() -> new Errands(1, 1, List.of())).hasMessageContaining("single regular");
    assertThatThrownBy(() -> new Errands(12, 10, List.of("order_fuel")))
        .hasMessageContaining("at most 10 different things");
    assertThatThrownBy(() -> new Errands(1, 0, List.of("brew_tea")))
        .hasMessageContaining("brew_tea")
        .hasMessageContaining("lookup_vessel");
  }

  @Test
  void whatIsAskedForIsAnswered() {
    int asked = 0;
    for (int number = 0; number < 40; number++) {
      var env = open(Realism.NONE, MarinaEnv.task("captured", 5, number, Errands.ANY), 1);
      env.start();
      if (!env.solution().getFirst().tool().equals("reserve_berth")) continue;
      var step = (Step.Continue) env.step(says("How many nights will you stay?"));
      int nights = env.solution().getFirst().arguments().path("nights").asInt();
      assertThat(step.messages().getFirst().path("content").asString())
          .containsAnyOf(String.valueOf(nights), "night", "week", "fortnight");
      asked++;
    }
    assertThat(asked).isPositive();
  }

  @Test
  void nonsenseIsAnErrorOfTheToolAndPatienceEnds() {
    var env = open(Realism.NONE, MarinaEnv.task("captured", 6, 1, Errands.ANY), 1);
    env.start();
    for (var call :
        List.of(
            new ToolCall("1", "no_such_tool", "{}"),
            new ToolCall("2", "lookup_vessel", "{"),
            new ToolCall("3", "lookup_vessel", "[]"),
            new ToolCall("4", "lookup_vessel", "{\"vessel\": 3}"),
            new ToolCall("5", "lookup_vessel", "{}"))) {
      assertThat(result(env, call)).contains("error");
    }
    assertThat(env.step(says("What?"))).isInstanceOf(Step.Continue.class);
    assertThat(env.step(says("What?"))).isInstanceOf(Step.Done.class);
  }

  /// Who only wants to know something first says what they want once they have an answer, whatever
  /// it is, and takes no call for one.
  @ParameterizedTest
  @ValueSource(doubles = {0, 0.5, 1})
  void smallTalkComesBeforeWhatIsWanted(double rate) {
    var people = new Difficulty(0, 0, 0, 0, 0, rate);
    var realism = new Realism(people, "any", 0, 0, 0, Duration.ZERO);
    int talks = 0;
    for (int number = 0; number < 100; number++) {
      var task = MarinaEnv.task("captured", 9, number, new Errands(1, 0, List.of()));
      var env = open(realism, task, number);
      var opening = env.start().messages().get(1).path("content").asString();
      if (!env.chatting()) continue;
      talks++;
      var calling = open(realism, task, number);
      calling.start();
      var wanted = env.solution().getFirst();
      var text = ((Step.Continue) env.step(says("No."))).messages().getFirst();
      assertThat(text.path("content").asString()).isNotEqualTo(opening);
      assertThat(((Step.Continue) calling.step(calls(wanted))).messages().getLast())
          .isEqualTo(text);
      assertThat(env.step(calls(wanted))).isEqualTo(new Step.Done(1, "the book is right"));
    }
    assertThat(talks / 100.0).isBetween(rate - 0.15, rate + 0.15);
  }

  private static String result(MarinaEnv env, ToolCall call) {
    var message = new Message.Assistant("", List.of(call));
    var completion = new Completion(message, FinishReason.TOOL_CALLS, new Usage(1, 1), null);
    var step = (Step.Continue) env.step(completion);
    return step.messages().getFirst().path("content").asString();
  }

  /// Half of what is looked up is about another vessel; the book is right all the same.
  @Test
  void wrongResultsAreAboutSomethingElse() {
    var realism = new Realism(Difficulty.PLAIN, "any", 0, 0, 0.5, Duration.ZERO);
    int wrong = 0;
    for (int number = 0; number < 100; number++) {
      var task = MarinaEnv.task("captured", 7, number, new Errands(2, 0, List.of()));
      var looking = open(realism, task, number);
      looking.start();
      var call = new ToolCall("1", "lookup_vessel", "{\"vessel\": \"Grey Heron\"}");
      if (!result(looking, call).contains("Grey Heron")) wrong++;
      var working = open(realism, task, number);
      assertThat(play(working, working.solution()))
          .isEqualTo(new Step.Done(1, "the book is right"));
    }
    assertThat(wrong).isBetween(25, 75);
  }

  /// A tool that takes its time can be waited for no longer.
  @Test
  void aSlowToolIsInterruptedWithItsAttempt() {
    var realism = new Realism(Difficulty.PLAIN, "any", 0, 0, 0, Duration.ofHours(1));
    var env = open(realism, MarinaEnv.task("captured", 7, 1, Errands.ANY), 1);
    env.start();
    var call = new ToolCall("1", "lookup_vessel", "{\"vessel\": \"Grey Heron\"}");
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> result(env, call)).hasMessageContaining("abandoned");
    assertThat(Thread.interrupted()).isTrue();
  }

  /// Attempts at one task are told the same, whatever their luck.
  @Test
  void aTaskIsTheSameForAllAttempts() {
    for (int number = 0; number < 50; number++) {
      var task = MarinaEnv.task("captured", 7, number, new Errands(3, 0, List.of()));
      assertThat(open(HARD, task, 1).start()).isEqualTo(open(HARD, task, 2).start());
      assertThat(open(HARD, task, 1).solution()).isEqualTo(open(HARD, task, 2).solution());
    }
  }
}
