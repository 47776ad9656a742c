import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.langchain4j.agent.tool.P;
import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.exception.RetriableException;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.service.AiServices;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;

/// An agent that adds with a tool, written with LangChain4j. It learns by `espalier rl`.
///
/// It asks for episodes until the run is over, plays each as it would play for a user, and says how
/// it went: `Agent [BASE_URL [AT_ONCE]]`.
final class Agent {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final URI base;
  private final HttpClient http = HttpClient.newHttpClient();

  private Agent(URI base) {
    this.base = base;
  }

  interface Calculator {
    String answer(String question);
  }

  static final class Adding {
    @Tool("Adds two numbers.")
    int add(@P(name = "a", value = "the first") int a, @P(name = "b", value = "the second") int b) {
      return a + b;
    }
  }

  /// The agent itself: all that it owes Espalier is the header.
  private String play(JsonNode episode) {
    var model =
        OpenAiChatModel.builder()
            .baseUrl(base.toString())
            .apiKey(key())
            .modelName(episode.path("model").asText())
            .customHeaders(Map.of("X-Espalier-Episode", episode.path("id").asText()))
            .build();
    var calculator =
        AiServices.builder(Calculator.class).chatModel(model).tools(new Adding()).build();
    var data = episode.at("/task/data");
    return calculator.answer("What is %s + %s?".formatted(data.path("a"), data.path("b")));
  }

  private static int reward(JsonNode episode, String answer) {
    var data = episode.at("/task/data");
    var sum = String.valueOf(data.path("a").asInt() + data.path("b").asInt());
    return Arrays.asList(answer.split("\\s+")).contains(sum) ? 1 : 0;
  }

  /// Plays until the run is over, which is when nobody answers any more.
  private int work() throws InterruptedException {
    int played = 0;
    while (true) {
      try {
        var next = send(request("/api/episodes/next").GET());
        if (next.statusCode() != 200) continue;
        var episode = JSON.readTree(next.body());
        var post = JSON.createObjectNode();
        try {
          var answer = play(episode);
          post.put("reward", reward(episode, answer)).put("why", answer);
        } catch (RetriableException e) {
          post.put("why", "no answer: " + e); // without a reward nothing is learnt from it
        } catch (RuntimeException e) {
          post.put("reward", 0).put("why", "the policy was of no use: " + e);
        }
        var path = "/api/episodes/%s/reward".formatted(episode.path("id").asText());
        var answer = send(request(path).POST(BodyPublishers.ofString(post.toString())));
        if (answer.statusCode() == 200) played++;
        else System.out.println("the episode was lost: " + answer.body());
      } catch (IOException e) {
        return played;
      }
    }
  }

  private static String key() {
    return System.getenv().getOrDefault("OPENAI_API_KEY", "none");
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(base.resolve(path)).header("authorization", "Bearer " + key());
  }

  private HttpResponse<String> send(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    return http.send(request.build(), BodyHandlers.ofString());
  }

  public static void main(String[] args) throws Exception {
    var agent = new Agent(URI.create(args.length > 0 ? args[0] : "http://127.0.0.1:7701/v1"));
    int atOnce = args.length > 1 ? Integer.parseInt(args[1]) : 4;
    int played = 0;
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Callable<Integer> work = agent::work;
      for (var one : threads.invokeAll(Collections.nCopies(atOnce, work))) played += one.get();
    }
    System.out.printf("played %d episodes%n", played);
  }
}
