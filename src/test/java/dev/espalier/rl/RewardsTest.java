package dev.espalier.rl;

import static dev.espalier.chat.FinishReason.LENGTH;
import static dev.espalier.chat.FinishReason.STOP;
import static dev.espalier.chat.FinishReason.TOOL_CALLS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.chat.ToolCallSyntax;
import dev.espalier.chat.Usage;
import dev.espalier.env.Task;
import dev.espalier.env.Trajectory;
import dev.espalier.env.Trajectory.End;
import dev.espalier.env.TrajectoryGroup;
import dev.espalier.env.Warned;
import dev.espalier.judge.Judge;
import dev.espalier.judge.JudgeException;
import dev.espalier.judge.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What an attempt is worth, source by source.
final class RewardsTest {
  private static final Judge HALF =
      group -> {
        int n = group.trajectories().size();
        if (group.task().id().equals("odd")) throw new JudgeException("no word");
        return new Verdict(
            "r@1", Collections.nCopies(n, 0.5), Collections.nCopies(n, "so so"), 0, 1);
      };

  /// A turn as the engine gives it.
  private static Completion turn(String said, FinishReason finish) {
    var reply = ToolCallSyntax.HERMES.parse(said, null);
    return new Completion(reply.message(), finish, new Usage(10, 250), null, reply.unparseable());
  }

  private static String calling(String arguments) {
    return "<tool_call>{\"name\": \"reserve\", \"arguments\": %s}</tool_call>".formatted(arguments);
  }

  private static Trajectory attempt(Task task, int member, End end, Completion... turns) {
    return new Trajectory(
        task, member, Json.array(), null, List.of(turns), end, "", Map.of(Trajectory.ENV, 1.0));
  }

  private static TrajectoryGroup group(String id) {
    var task = new Task("t", id, Json.object());
    return new TrajectoryGroup(
        task,
        List.of(
            attempt(task, 0, End.DONE, turn(calling("{\"berth\": \"A1\"}"), TOOL_CALLS)),
            attempt(task, 1, End.DONE, turn(calling("{\"berth\": "), STOP)),
            attempt(task, 2, End.LENGTH, turn(calling("{}"), TOOL_CALLS))));
  }

  @Test
  void everySourceIsNotedAndTheirWeightedSumIsTaken() {
    var judged = new ArrayList<String>();
    var rewards =
        new Rewards(
            Map.of("env", 1.0, "judge", 2.0, "format", 0.5, "length", -1.0),
            HALF,
            (group, verdict) -> judged.add(group.task().id()));
    var scored = rewards.score(List.of(group("even"), group("odd")));
    assertThat(scored).hasSize(1);
    assertThat(judged).containsExactly("even");
    var attempts = scored.getFirst().trajectories();
    assertThat(attempts.getFirst().rewards())
        .isEqualTo(Map.of("env", 1.0, "judge", 0.5, "format", 1.0, "length", 0.25));
    assertThat(attempts).extracting(one -> one.reward("format")).containsExactly(1.0, 0.0, 0.0);
    assertThat(rewards.total(attempts.get(0))).isCloseTo(1 + 1 + 0.5 - 0.25, within(1e-12));
    assertThat(rewards.total(attempts.get(1))).isCloseTo(1 + 1 - 0.25, within(1e-12));
  }

  /// An agent may go on after a turn that was cut off or that held half a call.
  @Test
  void everyTurnsFormCounts() {
    var task = new Task("t", "turns", Json.object());
    var good = turn("Done.", STOP);
    var cut = turn("Well, as I was", LENGTH);
    var half = turn(calling("{"), STOP);
    var group =
        new TrajectoryGroup(
            task,
            List.of(
                attempt(task, 0, End.DONE, good, good),
                attempt(task, 1, End.DONE, cut, good),
                attempt(task, 2, End.DONE, half, good)));
    var scored = Rewards.ENVIRONMENT.score(List.of(group)).getFirst().trajectories();
    assertThat(scored).extracting(one -> one.reward("format")).containsExactly(1.0, 0.0, 0.0);
  }

  @Test
  void whyGroupsHaveNoVerdictIsSaidOnce() {
    var rewards = new Rewards(Map.of("judge", 1.0), HALF, (group, verdict) -> {});
    try (var warned = new Warned()) {
      assertThat(rewards.score(List.of(group("odd"), group("even"), group("odd")))).hasSize(1);
      assertThat(warned.lines()).containsExactly("groups without a verdict, 2 of them: no word");
    }
  }

  @Test
  @Timeout(30)
  void whoIsInterruptedWaitsForNoJudge() throws InterruptedException {
    var asked = new CountDownLatch(2);
    Judge slow =
        group -> {
          asked.countDown();
          try {
            Thread.sleep(Duration.ofMinutes(5));
          } catch (InterruptedException e) {
            throw new JudgeException("woken");
          }
          return HALF.judge(group);
        };
    var rewards = new Rewards(Map.of("judge", 1.0), slow, (group, verdict) -> {});
    var failure = new AtomicReference<Throwable>();
    var step =
        Thread.ofVirtual()
            .start(() -> {
              try {
                rewards.score(List.of(group("one"), group("two")));
              } catch (IllegalStateException e) {
                failure.set(e);
              }
            });
    asked.await();
    step.interrupt();
    assertThat(step.join(Duration.ofSeconds(20))).isTrue();
    assertThat(failure.get()).hasMessage("judging was interrupted");
  }

  @Test
  @Timeout(30)
  void attemptsThatDoNotEndDoNotCostARunItsResult() {
    var woken = new CountDownLatch(1);
    var thread = Executors.newSingleThreadExecutor();
    try {
      thread.execute(() -> {
        while (woken.getCount() > 0) Thread.onSpinWait(); // whoever interrupts it
      });
      Ahead.end(thread, Duration.ofMillis(20));
      assertThat(thread.isTerminated()).isFalse();
    } finally {
      woken.countDown();
      thread.close();
    }
  }

  /// Another order adds up to another last bit.
  @Test
  void sourcesAreAddedUpInTheOrderOfTheirNames() {
    var weights = Map.of("length", -0.1, "judge", 0.3, "format", 0.2, "env", 0.7);
    var rewards = new Rewards(weights, HALF, (group, verdict) -> {});
    assertThat(rewards.weights().keySet()).containsExactly("env", "format", "judge", "length");
  }

  @ParameterizedTest
  @CsvSource({
    "env, 0, no reward counts",
    "envy, 1, 'env, judge, format or length'",
    "env, NaN, must be a number",
    "judge, 1, there is no judge"
  })
  void weightsThatMeanNothingAreRefused(String source, double weight, String why) {
    assertThatThrownBy(() -> new Rewards(Map.of(source, weight), null, (group, verdict) -> {}))
        .hasMessageContaining(why);
  }

  @Test
  void aJudgeThatDoesNotCountIsRefused() {
    assertThatThrownBy(() -> new Rewards(Map.of("env", 1.0), HALF, (group, verdict) -> {}))
        .hasMessageContaining("does not count");
  }
}
