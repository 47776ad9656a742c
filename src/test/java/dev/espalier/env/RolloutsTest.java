package dev.espalier.env;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.chat.Usage;
import dev.espalier.env.Trajectory.End;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

/// Attempts in lockstep: what they note, how they end, and what becomes of environments that do not
/// keep their word.
final class RolloutsTest {
  private static final Duration SOON = Duration.ofMillis(300);

  /// Counts down with the policy: "3", "2", "1" and done.
  private static final class Countdown implements Env {
    private int left;

    Countdown(Task task) {
      left = task.data().path("from").asInt();
    }

    @Override
    public Conversation start() {
      return new Conversation(Json.array().add(user("count down from " + left)), null);
    }

    @Override
    public Step step(Completion action) {
      if (!action.message().text().equals(String.valueOf(left))) return new Step.Done(0, "wrong");
      left--;
      if (left == 0) return new Step.Done(1, "counted");
      return new Step.Continue(List.of(user("go on")));
    }
  }

  private static ObjectNode user(String text) {
    return Json.object().put("role", "user").put("content", text);
  }

  private static Completion said(String text) {
    var message = new Message.Assistant(text, List.of());
    return new Completion(message, FinishReason.STOP, new Usage(10, text.length()), null);
  }

  /// Counts down rightly, from the last message but for the first.
  private static Completion counts(ChatRequest request) {
    var first = request.messages().get(0).path("content").asString();
    int from = Integer.parseInt(first.replaceAll("\\D", ""));
    return said(String.valueOf(from - request.messages().size() / 2));
  }

  private static Task task(int from) {
    return new Task("countdown", "from-" + from, Json.object().put("from", from));
  }

  private static Rollouts rollouts(Environments.Maker maker, int size, int turns, int retries) {
    var config = new RolloutConfig(size, turns, 20, 1, SOON, retries);
    return new Rollouts(Environments.of(Map.of("countdown", maker)), config);
  }

  private static List<Trajectory> run(Rollouts rollouts, ChatModel policy, Task... tasks) {
    return rollouts.run(List.of(tasks), policy, 1).stream()
        .flatMap(group -> group.trajectories().stream())
        .toList();
  }

  @Test
  void attemptsOfDifferentLengthsEndEachInItsTime() {
    var out =
        run(
            rollouts((task, seed) -> new Countdown(task), 3, 9, 0),
            RolloutsTest::counts,
            task(1),
            task(4),
            task(2));
    assertThat(out).hasSize(9);
    for (int i = 0; i < 9; i++) {
      var one = out.get(i);
      int from = one.task().data().path("from").asInt();
      assertThat(one.member()).isEqualTo(i % 3);
      assertThat(one.end()).isEqualTo(End.DONE);
      assertThat(one.reward(Trajectory.ENV)).isEqualTo(1);
      assertThat(one.turns()).hasSize(from);
      assertThat(one.messages()).hasSize(2 * from);
    }
  }

  /// Every round asks for all open attempts at once, in the order of (task, member).
  @Test
  void aRoundIsOneBatchInOrder() {
    var batches = new java.util.ArrayList<Integer>();
    ChatModel policy =
        new ChatModel() {
          @Override
          public Completion complete(ChatRequest request) {
            return counts(request);
          }

          @Override
          public List<java.util.function.Supplier<Completion>> completeAll(
              List<ChatRequest> requests) {
            batches.add(requests.size());
            return requests.stream()
                .map(it -> (java.util.function.Supplier<Completion>) () -> complete(it))
                .toList();
          }
        };
    run(rollouts((task, seed) -> new Countdown(task), 2, 9, 0), policy, task(1), task(3));
    assertThat(batches).containsExactly(4, 2, 2);
  }

  @Test
  void everyAttemptHasASeedOfItsOwnThatRepeats() {
    var seen = new java.util.concurrent.ConcurrentSkipListSet<Long>();
    Function<Integer, List<Long>> seeds =
        run -> {
          seen.clear();
          ChatModel policy =
              request -> {
                seen.add(request.json().path("seed").asLong());
                return counts(request);
              };
          run(rollouts((task, seed) -> new Countdown(task), 4, 9, 0), policy, task(2), task(2));
          return List.copyOf(seen);
        };
    var first = seeds.apply(1);
    assertThat(first).hasSize(16).isEqualTo(seeds.apply(2));
  }

  @Test
  void tooManyTurnsAndTooManyTokensAreTheEnd() {
    var out =
        run(rollouts((task, seed) -> new Countdown(task), 1, 2, 0), RolloutsTest::counts, task(5));
    assertThat(out.getFirst().end()).isEqualTo(End.TURNS);
    assertThat(out.getFirst().counts()).isTrue();
    ChatModel rambling =
        request ->
            new Completion(
                new Message.Assistant("and so on", List.of()),
                FinishReason.LENGTH,
                new Usage(10, 20),
                null);
    var long1 = run(rollouts((task, seed) -> new Countdown(task), 1, 2, 0), rambling, task(5));
    assertThat(long1.getFirst().end()).isEqualTo(End.LENGTH);
    assertThat(long1.getFirst().reward(Trajectory.ENV)).isZero();
  }

  @Test
  void anEnvironmentThatFailsIsBegunAnewAndThenGivenUp() {
    var opened = new AtomicInteger();
    Environments.Maker flaky =
        (task, seed) -> {
          if (opened.incrementAndGet() < 3) throw new IllegalStateException("not today");
          return new Countdown(task);
        };
    var out = run(rollouts(flaky, 1, 9, 2), RolloutsTest::counts, task(2));
    assertThat(out.getFirst().end()).isEqualTo(End.DONE);

    Environments.Maker broken =
        (task, seed) -> {
          throw new IllegalStateException("never");
        };
    try (var warned = new Warned()) {
      out = run(rollouts(broken, 2, 9, 1), RolloutsTest::counts, task(2), task(3));
      assertThat(warned.lines())
          .containsExactly("attempts dropped, 4 of them: java.lang.IllegalStateException: never");
    }
    assertThat(out).allMatch(one -> one.end() == End.FAILED && !one.counts());
    assertThat(out.getFirst().why()).contains("never");
  }

  @Test
  void anEnvironmentThatHangsIsLeftBehindAndTheOthersGoOn() {
    Environments.Maker hanging =
        (task, seed) ->
            new Env() {
              private final Countdown inner = new Countdown(task);

              @Override
              public Conversation start() {
                return inner.start();
              }

              @Override
              public Step step(Completion action) {
                if (task.id().equals("from-2")) {
                  try {
                    Thread.sleep(Duration.ofMinutes(5));
                  } catch (InterruptedException e) {
                    throw new IllegalStateException("woken", e);
                  }
                }
                return inner.step(action);
              }
            };
    var out = run(rollouts(hanging, 1, 9, 0), RolloutsTest::counts, task(2), task(3));
    assertThat(out.get(0).end()).isEqualTo(End.TIMEOUT);
    assertThat(out.get(0).counts()).isFalse();
    assertThat(out.get(1).end()).isEqualTo(End.DONE);
  }

  /// Each takes as long to close as all the others.
  @Test
  @Timeout(60)
  void environmentsThatFailedAreClosedSideBySide() {
    var closing = new CountDownLatch(4);
    var together = new AtomicInteger();
    Environments.Maker failing =
        (task, seed) ->
            new Env() {
              @Override
              public Conversation start() {
                throw new IllegalStateException("never");
              }

              @Override
              public Step step(Completion action) {
                return new Step.Done(0, "not reached");
              }

              @Override
              public void close() {
                closing.countDown();
                try {
                  if (closing.await(5, TimeUnit.SECONDS)) together.incrementAndGet();
                } catch (InterruptedException e) {
                  throw new IllegalStateException("woken", e);
                }
              }
            };
    var out = run(rollouts(failing, 4, 9, 0), RolloutsTest::counts, task(2));
    assertThat(out).allMatch(one -> one.end() == End.FAILED);
    assertThat(together.get()).isEqualTo(4);
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException("the other went on for too long", e);
    }
  }

  /// The first trial's environment cannot be woken and says that all is well, but only once the
  /// second trial has begun.
  @Test
  void whatAnEnvironmentSaysTooLateCountsForNothing() {
    var opened = new AtomicInteger();
    var stubborn = new AtomicReference<Thread>();
    Environments.Maker maker =
        (task, seed) -> {
          boolean first = opened.getAndIncrement() == 0;
          var inner = new Countdown(task);
          return new Env() {
            @Override
            public Conversation start() {
              if (!first) join(stubborn.get());
              return inner.start();
            }

            @Override
            public Step step(Completion action) {
              if (!first) return inner.step(action);
              stubborn.set(Thread.currentThread());
              while (opened.get() < 2) Thread.onSpinWait(); // whoever interrupts it
              return new Step.Done(1, "too late");
            }
          };
        };
    var out = run(rollouts(maker, 1, 9, 1), RolloutsTest::counts, task(2));
    assertThat(opened.get()).isEqualTo(2);
    assertThat(out.getFirst().why()).isEqualTo("counted");
    assertThat(out.getFirst().turns()).hasSize(2);
  }

  @Test
  void aPolicyThatCannotAnswerCostsOneAttempt() {
    ChatModel policy =
        request -> {
          if (request.messages().get(0).path("content").asString().endsWith("3")) {
            throw new ChatException(502, "no answer");
          }
          return counts(request);
        };
    var out = run(rollouts((task, seed) -> new Countdown(task), 1, 9, 0), policy, task(3), task(2));
    assertThat(out.get(0).end()).isEqualTo(End.FAILED);
    assertThat(out.get(1).end()).isEqualTo(End.DONE);
  }

  /// The first trial's environment says what is no conversation, at its start or later.
  @ParameterizedTest
  @CsvSource({
    "0, '{\"content\": \"no role\"}'",
    "0, '{\"role\": \"oracle\", \"content\": \"unknown\"}'",
    "1, '{\"content\": \"no role\"}'",
    "1, '{\"role\": \"user\", \"content\": \"of no template\"}'"
  })
  void nonsenseIsTheEnvironmentsFault(int turn, String nonsense) {
    var opened = new AtomicInteger();
    var message = (ObjectNode) Json.parse(nonsense);
    Environments.Maker maker =
        (task, seed) -> {
          var inner = new Countdown(task);
          if (opened.incrementAndGet() % 2 == 0) return inner;
          return new Env() {
            @Override
            public Conversation start() {
              return turn == 0 ? new Conversation(Json.array().add(message), null) : inner.start();
            }

            @Override
            public Step step(Completion action) {
              return new Step.Continue(List.of(message));
            }
          };
        };
    ChatModel policy =
        request -> {
          var last = request.messages().get(request.messages().size() - 1);
          if (last.path("content").asString().equals("of no template")) {
            throw new ChatException(400, "the model's chat template: no");
          }
          return counts(request);
        };
    var out = run(rollouts(maker, 1, 9, 1), policy, task(2)).getFirst();
    assertThat(out.end()).isEqualTo(End.DONE);
    assertThat(out.reward(Trajectory.ENV)).isEqualTo(1);
    try (var warned = new Warned()) {
      out = run(rollouts(maker, 1, 9, 0), policy, task(2)).getFirst();
      assertThat(warned.lines()).singleElement().asString().startsWith("attempts dropped, 1 of");
    }
    assertThat(out.end()).isEqualTo(End.FAILED);
    assertThat(out.counts()).isFalse();
  }

  @Test
  void aConversationBeyondTheContextIsThePolicysDoingAfterItsFirstTurn() {
    for (int most : new int[] {1, 2}) {
      ChatModel policy =
          request -> {
            if (request.messages().size() < most) return counts(request);
            throw ChatException.tooLong("no room");
          };
      var out = run(rollouts((task, seed) -> new Countdown(task), 1, 9, 1), policy, task(3));
      assertThat(out.getFirst().end()).isEqualTo(most == 1 ? End.FAILED : End.LENGTH);
    }
  }

  @Test
  void anUnknownEnvironmentIsNamed() {
    var none =
        new Rollouts(
            Environments.of(Map.of()), rollouts((t, s) -> new Countdown(t), 1, 1, 0).config());
    var out = none.run(List.of(task(1)), RolloutsTest::counts, 1);
    assertThat(out.getFirst().trajectories().getFirst().why())
        .contains("no environment is called \"countdown\"");
    assertThatThrownBy(() -> new RolloutConfig(0, 1, 1, 1, SOON, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.1, 2.5, Double.NaN})
  void aTemperatureThatNoModelIsSampledAtIsRefused(double temperature) {
    assertThatThrownBy(() -> new RolloutConfig(1, 1, 1, temperature, SOON, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("between 0 and 2");
  }

  @Test
  void greedyAttemptsAreNotLearntFrom() {
    var config = new RolloutConfig(1, 1, 1, 2, SOON, 0);
    assertThat(config.sampled()).isEqualTo(config);
    assertThatThrownBy(() -> config.greedy().sampled()).hasMessageContaining("above 0");
  }
}
