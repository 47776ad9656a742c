package dev.espalier.gateway;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessage;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import dev.espalier.chat.Json;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// An agent that adds with a tool, written against the official Java SDK.
final class OpenAiAgent implements AutoCloseable {
  final OpenAIClient client;
  private final HttpClient http = HttpClient.newHttpClient();
  private final URI base;
  private final boolean streams;

  OpenAiAgent(URI base, boolean streams) {
    this.base = base;
    this.streams = streams;
    client =
        OpenAIOkHttpClient.builder()
            .baseUrl(base.toString())
            .apiKey("esp-run")
            .maxRetries(2)
            .build();
  }

  HttpResponse<String> next(int seconds) throws IOException, InterruptedException {
    return send(request("/api/episodes/next?wait=" + seconds).GET().build());
  }

  HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
    return send(request(path).POST(BodyPublishers.ofString(body)).build());
  }

  HttpResponse<String> reward(String id, String body) throws IOException, InterruptedException {
    return post("/api/episodes/" + id + "/reward", body);
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(base.resolve(path)).header("authorization", "Bearer esp-run");
  }

  private HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
    return http.send(request, BodyHandlers.ofString());
  }

  ChatCompletionCreateParams.Builder params(String episode) {
    return ChatCompletionCreateParams.builder()
        .model("policy")
        .putAdditionalHeader("X-Espalier-Episode", episode);
  }

  /// Plays an episode to its end.
  void play(String id, JsonNode data) throws IOException, InterruptedException {
    int a = data.path("a").asInt();
    int b = data.path("b").asInt();
    var parameters =
        FunctionParameters.builder()
            .putAdditionalProperty("type", JsonValue.from("object"))
            .putAdditionalProperty("properties", JsonValue.from(Map.of()))
            .build();
    var add = FunctionDefinition.builder().name("add").parameters(parameters).build();
    var params = params(id).addUserMessage("What is %d + %d?".formatted(a, b)).addFunctionTool(add);
    var said = ask(params);
    params.addMessage(said);
    for (var call : said.toolCalls().orElse(List.of())) {
      var function = call.asFunction();
      var arguments = Json.parse(function.function().arguments());
      int sum = arguments.path("a").asInt() + arguments.path("b").asInt();
      params.addMessage(
          ChatCompletionToolMessageParam.builder()
              .toolCallId(function.id())
              .content(String.valueOf(sum))
              .build());
      said = ask(params);
    }
    boolean right = said.content().orElse("").contains("is " + (a + b));
    reward(id, "{\"reward\": %d, \"why\": \"compared\"}".formatted(right ? 1 : 0));
  }

  private ChatCompletionMessage ask(ChatCompletionCreateParams.Builder params) {
    return completion(params).choices().getFirst().message();
  }

  private ChatCompletion completion(ChatCompletionCreateParams.Builder params) {
    if (!streams) return client.chat().completions().create(params.build());
    var whole = ChatCompletionAccumulator.create();
    try (var chunks = client.chat().completions().createStreaming(params.build())) {
      chunks.stream().forEach(whole::accumulate);
    }
    return whole.chatCompletion();
  }

  @Override
  public void close() {
    client.close();
    http.shutdownNow();
  }
}
