package dev.espalier.env;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.CompletionJson;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.chat.Usage;
import dev.espalier.env.Trajectory.End;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Agents that drive themselves, as threads of this process: what becomes of what they do, and of
/// those that do not keep their word.
@Timeout(120)
@Execution(ExecutionMode.CONCURRENT)
final class AgentRolloutsTest {
  private static final Duration SOON = Duration.ofSeconds(1);
  private static final Duration LATE = Duration.ofSeconds(60);

  private final Episodes episodes = new Episodes();

  private static Task task(int number) {
    return new Task("adding", "sum-" + number, Json.object().put("a", number).put("b", 2));
  }

  private static ArrayNode ask(String text) {
    return Json.array().add(Json.object().put("role", "user").put("content", text));
  }

  private static Completion say(Episode episode, ArrayNode messages) {
    var request = ChatRequest.of(Episode.POLICY, messages.deepCopy(), null);
    var completion = episode.policy().complete(request);
    messages.add(CompletionJson.message(completion.message()));
    return completion;
  }

  private static void asked(ObjectNode more, Episode episode) {
    var request = ChatRequest.of(Episode.POLICY, ask("1 + 2?"), null);
    request.json().setAll(more);
    episode.policy().complete(request);
  }

  /// Asks for the sum, gives the tool's result and is content with a right answer.
  private static void play(Episode episode) {
    var data = episode.task().data();
    int sum = data.path("a").asInt() + data.path("b").asInt();
    var messages = ask("What is %s + %s?".formatted(data.path("a"), data.path("b")));
    var answer = say(episode, messages);
    if (!answer.message().calls().isEmpty()) {
      messages.add(
          Json.object().put("role", "tool").put("tool_call_id", "call_1").put("content", "" + sum));
      answer = say(episode, messages);
    }
    episode.reward(answer.message().text().contains("is " + sum) ? 1 : 0, "compared");
  }

  /// Takes episode after episode; an agent that dies is followed by another.
  private void serve(Consumer<Episode> agent) {
    try {
      while (true) {
        var episode = episodes.next(LATE);
        if (episode == null) continue;
        try {
          agent.accept(episode);
        } catch (RuntimeException died) {
          assertThat(died).isNotNull();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private List<Trajectory> run(
      RolloutConfig config, ChatModel policy, int agents, Consumer<Episode> agent, Task... tasks) {
    var threads = new ArrayList<Thread>();
    for (int i = 0; i < agents; i++) {
      threads.add(Thread.ofVirtual().start(() -> serve(agent)));
    }
    try {
      return new AgentRollouts(episodes, config, LATE)
          .run(List.of(tasks), policy, 1).stream()
              .flatMap(group -> group.trajectories().stream())
              .toList();
    } finally {
      threads.forEach(Thread::interrupt);
    }
  }

  private static RolloutConfig config(int size, int turns, Duration timeout, int retries) {
    return new RolloutConfig(size, turns, 20, 1, timeout, retries);
  }

  private List<Trajectory> one(Consumer<Episode> agent) {
    return run(config(1, 3, LATE, 0), new AddingPolicy(), 1, agent, task(1));
  }

  @Test
  void whatSeveralAgentsDoBecomesTrajectoriesInOrder() {
    var out =
        run(
            config(4, 5, LATE, 0),
            new AddingPolicy(),
            3,
            AgentRolloutsTest::play,
            task(10),
            task(20),
            task(30));
    assertThat(out).hasSize(12);
    for (int i = 0; i < out.size(); i++) {
      var one = out.get(i);
      assertThat(one.task()).isEqualTo(task(10 * (1 + i / 4)));
      assertThat(one.member()).isEqualTo(i % 4);
      assertThat(one.end()).isEqualTo(End.DONE);
      assertThat(one.reward(Trajectory.ENV)).isEqualTo(one.turns().size() - 1);
      assertThat(one.messages()).hasSize(2 * one.turns().size());
      assertThat(one.turns()).allMatch(turn -> turn.trace() != null);
    }
    assertThat(out).extracting(one -> one.reward(Trajectory.ENV)).contains(0.0, 1.0);
  }

  @Test
  void aLaterTurnContinuesTheTokensOfAnEarlierOne() {
    var out =
        run(config(8, 5, LATE, 0), new AddingPolicy(), 4, AgentRolloutsTest::play, task(1)).stream()
            .filter(one -> one.turns().size() == 2)
            .toList();
    assertThat(out).isNotEmpty();
    for (var one : out) {
      var first = Objects.requireNonNull(one.turns().get(0).trace());
      var prompt = Objects.requireNonNull(one.turns().get(1).trace()).promptIds();
      int shown = first.promptIds().length;
      assertThat(Arrays.copyOf(prompt, shown)).isEqualTo(first.promptIds());
      assertThat(Arrays.copyOfRange(prompt, shown, shown + first.ids().length))
          .isEqualTo(first.ids());
    }
  }

  @Test
  void everyRequestIsSampledAsTheRunSamples() {
    var seen = new ArrayList<ObjectNode>();
    ChatModel policy =
        request -> {
          seen.add(request.json());
          return new AddingPolicy().complete(request);
        };
    run(
        config(1, 3, LATE, 0),
        policy,
        1,
        episode -> {
          asked(Json.object().put("temperature", 1).put("max_completion_tokens", 7), episode);
          asked(Json.object().put("max_tokens", 1000).put("top_p", 1.0), episode);
          episode.reward(1, "");
        },
        task(1));
    assertThat(seen).extracting(it -> it.path("max_tokens").asInt()).containsExactly(7, 20);
    assertThat(seen).allMatch(it -> it.path("temperature").asDouble() == 1);
    var seeds = new ConcurrentSkipListSet<Long>();
    for (var one : seen) seeds.add(one.path("seed").asLong());
    assertThat(seeds).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"temperature\": 0.7}",
        "{\"top_p\": 0.9}",
        "{\"top_k\": 40}",
        "{\"min_p\": 0.1}",
        "{\"presence_penalty\": 1}",
        "{\"seed\": 3}",
        "{\"logit_bias\": {\"5\": 1}}",
        "{\"response_format\": {\"type\": \"json_object\"}}",
        "{\"tool_choice\": \"required\"}"
      })
  void otherSamplingIsRefusedByName(String more) {
    var json = (ObjectNode) Json.parse(more);
    var field = json.propertyNames().iterator().next();
    var out =
        one(episode -> {
          assertThatThrownBy(() -> asked(json, episode))
              .isInstanceOfSatisfying(
                  ChatException.class, e -> assertThat(e.status()).isEqualTo(400))
              .hasMessageStartingWith(field + " cannot be set");
          episode.fail("the agent cannot go on");
        });
    assertThat(out.getFirst().end()).isEqualTo(End.FAILED);
    assertThat(out.getFirst().why()).startsWith(field + " cannot be set");
    assertThat(out.getFirst().counts()).isFalse();
  }

  @Test
  void strictToolsAreRefused() {
    var json =
        (ObjectNode)
            Json.parse(
                """
                {"tools": [{"type": "function", "function": {"name": "f", "strict": true}}]}\
                """);
    var out =
        one(episode -> {
          assertThatThrownBy(() -> asked(json, episode))
              .isInstanceOf(ChatException.class)
              .hasMessageStartingWith("strict of a tool cannot be set");
          episode.fail("the agent cannot go on");
        });
    assertThat(out.getFirst().counts()).isFalse();
  }

  @Test
  void conversationsSideBySideAreKeptApart() {
    var out =
        one(episode -> {
          var left = ask("left");
          var right = ask("right");
          say(episode, left);
          say(episode, right);
          say(episode, left.add(Json.object().put("role", "user").put("content", "more")));
          episode.reward(0.5, "half");
        });
    var one = out.getFirst();
    assertThat(one.turns()).hasSize(3);
    assertThat(one.messages())
        .extracting(it -> it.path("content").asString())
        .element(2)
        .isEqualTo("more");
    assertThat(one.messages()).hasSize(6);
    assertThat(one.reward(Trajectory.ENV)).isEqualTo(0.5);
    var first = Objects.requireNonNull(one.turns().get(0).trace());
    var second = Objects.requireNonNull(one.turns().get(1).trace());
    assertThat(second.promptIds()).startsWith(first.promptIds());
  }

  @Test
  void anAgentThatFallsSilentIsGivenUpAndTheOthersGoOn() {
    var out =
        run(
            config(2, 3, Duration.ofSeconds(2), 0),
            new AddingPolicy(),
            4,
            episode -> {
              if (episode.task().id().equals("sum-1")) say(episode, ask("and then?"));
              else play(episode);
            },
            task(1),
            task(2));
    assertThat(out)
        .extracting(Trajectory::end)
        .containsExactly(End.TIMEOUT, End.TIMEOUT, End.DONE, End.DONE);
    assertThat(out.getFirst().counts()).isFalse();
  }

  @Test
  void aFailedAttemptIsBegunAnew() {
    var seen = new AtomicInteger();
    var out =
        run(
            config(1, 3, LATE, 1),
            new AddingPolicy(),
            1,
            episode -> {
              if (seen.incrementAndGet() == 1) episode.fail("the agent's database is down");
              else play(episode);
            },
            task(1));
    assertThat(out.getFirst().end()).isEqualTo(End.DONE);
    assertThat(seen.get()).isEqualTo(2);
  }

  @Test
  void whereNoAgentComesTheRunDoesNotWaitForEver() {
    var nobody = new AgentRollouts(episodes, config(2, 3, LATE, 1), SOON);
    var out = nobody.run(List.of(task(1)), new AddingPolicy(), 1).getFirst().trajectories();
    assertThat(out)
        .allMatch(one -> one.end() == End.FAILED && one.why().startsWith("no agent asked"));
  }

  /// One agent is at work for longer than an agent may be absent: the next episode waits for it.
  @Test
  void anEpisodeWaitsWhileTheAgentsAreAtWork() throws InterruptedException {
    var agent = Thread.ofVirtual().start(() -> serve(AgentRolloutsTest::playSlowly));
    try {
      var out =
          new AgentRollouts(episodes, config(2, 3, LATE, 0), SOON)
              .run(List.of(task(1)), new AddingPolicy(), 1)
              .getFirst()
              .trajectories();
      assertThat(out).allMatch(one -> one.end() == End.DONE);
    } finally {
      agent.interrupt();
      agent.join();
    }
  }

  private static void playSlowly(Episode episode) {
    try {
      Thread.sleep(SOON.multipliedBy(3));
    } catch (InterruptedException e) {
      throw new IllegalStateException("woken", e);
    }
    play(episode);
  }

  @Test
  void tooManyTurnsAreRefusedAndCount() {
    var out =
        run(
            config(1, 3, SOON, 0),
            new AddingPolicy(),
            1,
            episode -> {
              var messages = ask("on and on");
              while (true) say(episode, messages);
            },
            task(1));
    assertThat(out.getFirst().end()).isEqualTo(End.TURNS);
    assertThat(out.getFirst().turns()).hasSize(3);
    assertThat(out.getFirst().counts()).isTrue();
  }

  @Test
  void aConversationBeyondTheContextCountsAndAPolicyThatFailsDoesNot() {
    for (var failure :
        List.of(
            ChatException.tooLong("no more"),
            new ChatException(400, "the model's chat template: no"),
            new ChatException(503, "no more"))) {
      ChatModel policy =
          request -> {
            if (request.messages().size() > 1) throw failure;
            return new AddingPolicy().complete(request);
          };
      var out =
          run(
              config(1, 3, SOON, 0),
              policy,
              1,
              episode -> {
                var messages = ask("on and on");
                while (true) say(episode, messages);
              },
              task(1));
      assertThat(out.getFirst().end()).isEqualTo(failure.code() == null ? End.FAILED : End.LENGTH);
    }
  }

  @Test
  void aTurnThatWasCutOffIsSaid() {
    ChatModel rambling =
        request ->
            new Completion(
                new Message.Assistant("and so on", List.of()),
                FinishReason.LENGTH,
                new Usage(10, 20),
                null);
    var out =
        run(
            config(1, 3, LATE, 0),
            rambling,
            1,
            episode -> {
              say(episode, ask("briefly?"));
              episode.reward(0.2, "long");
            },
            task(1));
    assertThat(out.getFirst().end()).isEqualTo(End.LENGTH);
    assertThat(out.getFirst().reward(Trajectory.ENV)).isEqualTo(0.2);
  }

  @Test
  void anEpisodeEndsOnceAndAnUnknownOneIsNamed() {
    var seen = new ArrayList<Episode>();
    var out =
        one(episode -> {
          seen.add(episode);
          say(episode, ask("1 + 2?"));
          assertThatThrownBy(() -> episode.reward(Double.NaN, ""))
              .isInstanceOf(IllegalArgumentException.class);
          episode.reward(1, "first");
        });
    var over = seen.getFirst();
    for (ThrowingCallable late :
        List.<ThrowingCallable>of(
            () -> over.reward(0, "second"),
            () -> say(over, ask("1 + 2?")),
            () -> episodes.find(over.id()))) {
      assertThatThrownBy(late)
          .isInstanceOfSatisfying(ChatException.class, e -> assertThat(e.status()).isEqualTo(409));
    }
    assertThat(out.getFirst().why()).isEqualTo("first");
    assertThatThrownBy(() -> episodes.find("ep-none"))
        .isInstanceOfSatisfying(ChatException.class, e -> assertThat(e.status()).isEqualTo(404));
  }

  @Test
  void aRewardWithoutATurnTeachesNothing() {
    var out = one(episode -> episode.reward(1, "easy"));
    assertThat(out.getFirst().end()).isEqualTo(End.FAILED);
  }

  /// The policy's adapter is replaced once a run returns: nothing may still be sampling with it.
  @Test
  void theRunWaitsForWhatIsStillBeingAnswered() {
    var entered = new CountDownLatch(1);
    var left = new AtomicBoolean();
    ChatModel slow =
        request -> {
          if (!request.messages().get(0).path("content").asString().equals("slowly")) {
            return new AddingPolicy().complete(request);
          }
          entered.countDown();
          try {
            Thread.sleep(SOON);
          } catch (InterruptedException e) {
            throw new IllegalStateException("woken", e);
          }
          left.set(true);
          return new AddingPolicy().complete(request);
        };
    var out =
        run(
            config(1, 3, LATE, 0),
            slow,
            1,
            episode -> {
              say(episode, ask("1 + 2?"));
              Thread.ofVirtual()
                  .start(() ->
                      assertThatThrownBy(() -> say(episode, ask("slowly")))
                          .hasMessageContaining("is over"));
              try {
                entered.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException("woken", e);
              }
              episode.reward(1, "enough");
            },
            task(1));
    assertThat(left.get()).isTrue();
    assertThat(out.getFirst().turns()).hasSize(1);
  }

  @Test
  void interruptedItAbandonsAll() throws InterruptedException {
    var taken = new CountDownLatch(1);
    var stopped = new CountDownLatch(1);
    var open = new ArrayList<Episode>();
    var thread =
        Thread.ofVirtual()
            .start(() -> {
              try {
                run(
                    config(1, 3, LATE, 0),
                    new AddingPolicy(),
                    1,
                    episode -> {
                      open.add(episode);
                      taken.countDown();
                    },
                    task(1));
              } catch (IllegalStateException interrupted) {
                stopped.countDown();
              }
            });
    taken.await();
    thread.interrupt();
    stopped.await();
    open.getFirst().awaitOver();
    assertThatThrownBy(() -> open.getFirst().reward(1, "late")).hasMessageContaining("is over");
  }
}
