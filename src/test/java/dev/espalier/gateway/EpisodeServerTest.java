package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.OpenAIServiceException;
import com.sun.net.httpserver.HttpServer;
import dev.espalier.chat.Json;
import dev.espalier.env.AddingPolicy;
import dev.espalier.env.AgentRollouts;
import dev.espalier.env.Episodes;
import dev.espalier.env.RolloutConfig;
import dev.espalier.env.Task;
import dev.espalier.env.Trajectory;
import dev.espalier.env.Trajectory.End;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// The official Java SDK as the agent, over HTTP, and agents that do not keep to the rules.
@Timeout(120)
@Execution(ExecutionMode.CONCURRENT)
class EpisodeServerTest {
  /// Long enough for what the agent does before it falls silent, on a busy machine too.
  private static final Duration SOON = Duration.ofSeconds(8);

  private static final Duration LATE = Duration.ofSeconds(60);

  private final Episodes episodes = new Episodes();
  private final EpisodeServer server =
      EpisodeServer.start(
          EpisodeServerConfig.local(0), episodes, id -> ("<" + id + ">").getBytes(UTF_8));
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final OpenAiAgent agent = new OpenAiAgent(server.base(), false);

  @AfterEach
  void close() {
    threads.shutdownNow();
    agent.close();
    server.close();
  }

  private static Task task(int number) {
    return new Task("adding", "sum-" + number, Json.object().put("a", number).put("b", 2));
  }

  private Future<List<Trajectory>> run(int size, Duration timeout, Task... tasks) {
    var config = new RolloutConfig(size, 4, 20, 1, timeout, 0);
    return threads.submit(() ->
        new AgentRollouts(episodes, config, LATE)
            .run(List.of(tasks), new AddingPolicy(), 1).stream()
                .flatMap(group -> group.trajectories().stream())
                .toList());
  }

  private String next() throws IOException, InterruptedException {
    return Json.parse(agent.next(30).body()).path("id").asString();
  }

  private static JsonNode error(String body) {
    return Json.parse(body).path("error");
  }

  @Test
  void whatAgentsDoBecomesTrajectoriesTokensAndAll() throws Exception {
    var run = run(4, LATE, task(10), task(20));
    var agents = new ArrayList<Future<?>>();
    for (boolean streams : new boolean[] {false, true, false}) {
      agents.add(threads.submit(() -> playAll(streams)));
    }
    var out = run.get();
    assertThat(out).hasSize(8);
    for (int i = 0; i < out.size(); i++) {
      var one = out.get(i);
      assertThat(one.task()).isEqualTo(task(10 * (1 + i / 4)));
      assertThat(one.end()).isEqualTo(End.DONE);
      assertThat(one.why()).isEqualTo("compared");
      assertThat(one.reward(Trajectory.ENV)).isEqualTo(one.turns().size() - 1);
      assertThat(Objects.requireNonNull(one.tools())).hasSize(1);
      var first = Objects.requireNonNull(one.turns().getFirst().trace());
      assertThat(first.ids()).isNotEmpty();
      if (one.turns().size() == 1) continue;
      var second = Objects.requireNonNull(one.turns().getLast().trace());
      assertThat(second.promptIds()).startsWith(first.promptIds()).containsSequence(first.ids());
    }
    assertThat(out).extracting(one -> one.reward(Trajectory.ENV)).contains(0.0, 1.0);
    for (var one : agents) one.get();
  }

  /// Plays until there is nothing to play for a second.
  private void playAll(boolean streams) {
    try (var mine = new OpenAiAgent(server.base(), streams)) {
      for (var next = mine.next(1); next.statusCode() == 200; next = mine.next(1)) {
        var json = Json.parse(next.body());
        assertThat(json.path("model").asString()).isEqualTo("policy");
        mine.play(json.path("id").asString(), json.at("/task/data"));
      }
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void anAnswerHasTheGatewaysShapeAndNoTokenIds() throws Exception {
    var run = run(1, LATE, task(1));
    var id = next();
    var answer =
        agent
            .client
            .chat()
            .completions()
            .create(agent.params(id).addUserMessage("1 + 2?").logprobs(true).build());
    assertThat(answer.usage().orElseThrow().promptTokens()).isPositive();
    assertThat(answer.model()).isEqualTo("policy");
    var tokens = answer.choices().getFirst().logprobs().orElseThrow().content().orElseThrow();
    assertThat(tokens.getFirst().token()).matches("<\\d+>");
    assertThat(answer.toString()).doesNotContain("prompt_ids", "promptIds", "trace");
    assertThat(agent.reward(id, "{\"reward\": 0.7}").body()).contains("\"turns\":1");
    assertThat(run.get().getFirst().reward(Trajectory.ENV)).isEqualTo(0.7);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"reward\": NaN}", "{\"reward\": \"good\"}", "{\"reward\": 1e999}", "{\"reward\": true}",
        "{\"why\": \"the database is down\"}", "{\"reward\": 1, \"score\": 2}", "", "[1]"
      })
  void aRewardThatIsNoneDropsTheAttempt(String body) throws Exception {
    var run = run(1, LATE, task(1));
    var id = next();
    agent.client.chat().completions().create(agent.params(id).addUserMessage("1 + 2?").build());
    var answer = agent.reward(id, body);
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(error(answer.body()).path("type").asString()).isEqualTo("invalid_request_error");
    assertThat(run.get().getFirst().end()).isEqualTo(End.FAILED);
  }

  @Test
  void onlyOpenEpisodesAreAnswered() throws Exception {
    var run = run(1, LATE, task(1));
    var id = next();
    var nameless =
        agent.post(
            "/v1/chat/completions",
            "{\"model\": \"policy\", \"messages\": [{\"role\": \"user\", \"content\": \"?\"}]}");
    assertThat(nameless.statusCode()).isEqualTo(400);
    assertThat(nameless.body()).contains("X-Espalier-Episode");
    var completions = agent.client.chat().completions();
    assertThatThrownBy(() -> completions.create(agent.params("ep-x").addUserMessage("?").build()))
        .isInstanceOf(NotFoundException.class);
    var other = agent.params(id).model("gpt-x").addUserMessage("?").build();
    assertThatThrownBy(() -> completions.create(other))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("gpt-x");
    for (var more :
        List.of(
            agent.params(id).temperature(0.2), agent.params(id).topP(0.5), agent.params(id).n(3))) {
      assertThatThrownBy(() -> completions.create(more.addUserMessage("?").build()))
          .isInstanceOf(BadRequestException.class)
          .hasMessageContaining("cannot be set in an episode: ");
    }
    completions.create(agent.params(id).addUserMessage("?").build());
    assertThat(agent.reward(id, "{\"reward\": 1}").statusCode()).isEqualTo(200);
    var second = agent.reward(id, "{\"reward\": 0}");
    assertThat(second.statusCode()).isEqualTo(409);
    assertThat(second.headers().firstValue("x-should-retry")).contains("false");
    assertThat(agent.reward("ep-x", "{\"reward\": 0}").statusCode()).isEqualTo(404);
    assertThatThrownBy(() -> completions.create(agent.params(id).addUserMessage("?").build()))
        .isInstanceOfSatisfying(
            OpenAIServiceException.class, e -> assertThat(e.statusCode()).isEqualTo(409));
    assertThat(run.get().getFirst().reward(Trajectory.ENV)).isEqualTo(1);
  }

  @Test
  void anAgentThatNeverPostsARewardCostsItsAttemptOnly() throws Exception {
    var run = run(1, SOON, task(1), task(2));
    var silent = next();
    agent.client.chat().completions().create(agent.params(silent).addUserMessage("?").build());
    agent.play(next(), task(2).data());
    assertThat(run.get()).extracting(Trajectory::end).containsExactly(End.TIMEOUT, End.DONE);
    assertThat(agent.reward(silent, "{\"reward\": 1}").statusCode()).isEqualTo(409);
  }

  @Test
  void whereThereIsNothingToDoThePollEndsEmpty() throws Exception {
    assertThat(agent.next(0).statusCode()).isEqualTo(204);
    assertThat(agent.next(99).statusCode()).isEqualTo(400);
    assertThat(agent.client.models().list().data().getFirst().id()).isEqualTo("policy");
  }

  @Test
  void aPollIsNotAnErrorWhenTheRunEnds() throws Exception {
    var ending = EpisodeServer.start(EpisodeServerConfig.local(0), episodes, id -> new byte[0]);
    try (var polling = new OpenAiAgent(ending.base(), false)) {
      assertThat(polling.next(0).statusCode()).isEqualTo(204);
      var poll = threads.submit(() -> polling.next(60).statusCode());
      Thread.sleep(500);
      ending.close();
      try {
        assertThat(poll.get()).isEqualTo(204);
      } catch (ExecutionException e) {
        assertThat(e).hasCauseInstanceOf(IOException.class);
      }
    }
  }

  @Test
  void aKeyIsAskedForBeyondThisMachine() throws Exception {
    assertThatThrownBy(() -> new EpisodeServerConfig("0.0.0.0", 0, null))
        .hasMessageContaining("need a key");
    var config = new EpisodeServerConfig("127.0.0.1", 0, "esp-other");
    try (var locked = EpisodeServer.start(config, episodes, id -> new byte[0]);
        var stranger = new OpenAiAgent(locked.base(), false)) {
      assertThat(stranger.next(0).statusCode()).isEqualTo(401);
    }
  }

  private interface Started {
    /// @return the status that the agent's URL answers with
    int with(JsonNode episode) throws Exception;
  }

  private List<Trajectory> launched(Started agent, Task... tasks) throws Exception {
    var http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 9);
    http.setExecutor(threads);
    http.createContext(
        "/task",
        exchange -> {
          try (exchange) {
            int status =
                agent.with(Json.parse(new String(exchange.getRequestBody().readAllBytes(), UTF_8)));
            exchange.sendResponseHeaders(status, -1);
          } catch (Exception e) {
            throw new IOException(e);
          }
        });
    http.start();
    var url = URI.create("http://127.0.0.1:%d/task".formatted(http.getAddress().getPort()));
    try (var launcher = Launcher.start(episodes, url, server.base(), 2)) {
      return run(2, LATE, tasks).get();
    } finally {
      http.stop(0);
    }
  }

  @Test
  void aLauncherCallsTheAgentsUrlForEveryEpisode() throws Exception {
    var out =
        launched(
            episode -> {
              assertThat(episode.path("base_url").asString()).isEqualTo(server.base().toString());
              assertThat(episode.path("model").asString()).isEqualTo("policy");
              agent.play(episode.path("episode").asString(), episode.at("/task/data"));
              return 202;
            },
            task(1),
            task(2));
    assertThat(out).hasSize(4).allMatch(one -> one.end() == End.DONE);
  }

  @Test
  void anAgentThatCannotBeLaunchedCostsItsAttempt() throws Exception {
    var refused = launched(episode -> 500, task(1));
    assertThat(refused)
        .allMatch(one -> one.end() == End.FAILED && one.why().contains("answered 500"));
    var nobody = URI.create("http://127.0.0.1:1/task");
    try (var launcher = Launcher.start(episodes, nobody, server.base(), 2)) {
      assertThat(run(1, LATE, task(1)).get().getFirst().why()).contains("did not answer");
    }
  }
}
