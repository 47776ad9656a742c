package dev.espalier.gateway;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.Json;
import dev.espalier.env.Episode;
import dev.espalier.env.Episodes;
import dev.espalier.store.Api;
import io.helidon.http.Status;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// What agents that drive themselves talk to while a policy learns: OpenAI's chat completions, the
/// next episode, and its reward. Nothing of it is captured.
public final class EpisodeServer implements AutoCloseable {
  private static final int MAX_BODY = 32 << 20;
  private static final int MAX_REWARD = 1 << 20;
  private static final int WAIT = 20; // seconds
  private static final int LONGEST_WAIT = 60;
  private static final Duration GRACE = Duration.ofMillis(500); // the run is over

  private final EpisodeServerConfig config;
  private final Episodes episodes;
  private final IntFunction<byte[]> tokens;
  private final WebServer server;

  /// The policy as an episode sees it.
  private record Policy(ChatModel model, IntFunction<byte[]> tokens) implements LocalModels {
    @Override
    public @Nullable ChatModel find(String name) {
      return name.equals(Episode.POLICY) ? model : null;
    }

    @Override
    public List<String> names() {
      return List.of(Episode.POLICY);
    }

    @Override
    public byte[] token(String model, int id) {
      return tokens.apply(id);
    }
  }

  private EpisodeServer(EpisodeServerConfig config, Episodes episodes, IntFunction<byte[]> tokens) {
    this.config = config;
    this.episodes = episodes;
    this.tokens = tokens;
    var routing =
        HttpRouting.builder()
            .post("/v1/chat/completions", checked(this::complete))
            .get("/v1/models", checked(EpisodeServer::models))
            .get("/api/episodes/next", checked(this::next))
            .post("/api/episodes/{id}/reward", checked(this::reward));
    server = Listener.start(config.host(), config.port(), "--agent-port", GRACE, routing);
  }

  /// Starts to serve.
  ///
  /// @param tokens the bytes of a token, which log-probabilities are reported with
  /// @throws IllegalArgumentException if the port is taken
  public static EpisodeServer start(
      EpisodeServerConfig config, Episodes episodes, IntFunction<byte[]> tokens) {
    return new EpisodeServer(config, episodes, tokens);
  }

  /// What agents give their OpenAI SDK as its base URL.
  public URI base() {
    return URI.create("http://%s:%d/v1".formatted(config.host(), server.port()));
  }

  private Handler checked(Handler handler) {
    return (request, response) -> {
      var key = config.key();
      if (key != null && !Keys.same(key, Keys.credential(request))) {
        throw new ApiError(401, "The run's key is needed here", null, "invalid_api_key");
      }
      if (key == null && !Access.isLocal(request)) {
        throw new ApiError(403, "A run without a key serves this machine only", null, "only_local");
      }
      try {
        handler.handle(request, response);
      } catch (ChatException e) {
        throw ApiError.of(e);
      }
    };
  }

  private void complete(ServerRequest request, ServerResponse response) {
    var id = RequestId.next();
    response.header(Exchange.REQUEST_ID, id);
    var body = RequestBody.read(request, MAX_BODY);
    var exchange = Exchange.of(Api.OPENAI, request, id, System.nanoTime(), body);
    var chat = exchange.chat();
    var episode = exchange.header(Exchange.EPISODE);
    if (episode == null) {
      throw ApiError.badRequest("The header X-Espalier-Episode must name the episode", null);
    }
    if (chat.json().path("n").asInt(1) != 1) {
      throw ApiError.badRequest("n cannot be set in an episode: each answer is a turn", "n");
    }
    var policy = new Policy(episodes.find(episode).policy(), tokens);
    new LocalAnswer(answer -> {}, exchange, Served.nobody(), policy, exchange.model())
        .run(chat, response);
  }

  private static void models(ServerRequest request, ServerResponse response) {
    JsonResponse.send(response, ModelsEndpoint.list(List.of(ModelsEndpoint.model(Episode.POLICY))));
  }

  private void next(ServerRequest request, ServerResponse response) {
    try {
      var episode = episodes.next(wait(request));
      if (episode != null) JsonResponse.send(response, json(episode, "id"));
      else response.status(Status.NO_CONTENT_204).send();
    } catch (InterruptedException closing) {
      response.status(Status.NO_CONTENT_204).send();
      Thread.currentThread().interrupt();
    }
  }

  private static Duration wait(ServerRequest request) {
    var text = request.query().first("wait").orElse(String.valueOf(WAIT));
    if (!text.matches("\\d{1,2}") || Integer.parseInt(text) > LONGEST_WAIT) {
      throw ApiError.badRequest("wait is 0 to %d seconds".formatted(LONGEST_WAIT), "wait");
    }
    return Duration.ofSeconds(Integer.parseInt(text));
  }

  /// What an agent is told of an episode.
  static ObjectNode json(Episode episode, String idField) {
    var json = Json.object().put(idField, episode.id());
    json.set("task", Json.MAPPER.valueToTree(episode.task()));
    return json.put("model", Episode.POLICY);
  }

  /// A reward that cannot be read ends the episode: the agent will not post another.
  private void reward(ServerRequest request, ServerResponse response) {
    var episode = episodes.find(request.path().pathParameters().get("id"));
    try {
      var fields = Fields.parse(RequestBody.read(request, MAX_REWARD), "a reward");
      var reward = fields.number("reward");
      var why = fields.text("why");
      fields.noMore();
      if (reward == null) throw new IllegalArgumentException("\"reward\" must be a number");
      int turns = episode.reward(reward, why == null ? "the agent's reward" : why);
      JsonResponse.send(response, Json.object().put("id", episode.id()).put("turns", turns));
    } catch (IllegalArgumentException e) {
      var why = String.valueOf(e.getMessage());
      episode.fail(why);
      throw ApiError.badRequest(why, "reward");
    }
  }

  @Override
  public void close() {
    server.stop();
  }
}
