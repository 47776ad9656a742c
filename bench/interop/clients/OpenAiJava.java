import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.errors.BadRequestException;
import com.openai.errors.InternalServerException;
import com.openai.errors.NotFoundException;
import com.openai.errors.OpenAIException;
import com.openai.errors.OpenAIIoException;
import com.openai.errors.OpenAIServiceException;
import com.openai.errors.RateLimitException;
import com.openai.errors.UnauthorizedException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessage;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `com.openai:openai-java` as its users use it. Run as a source file; the class path is Espalier's own.
final class OpenAiJava {
  private static final JsonMapper MAPPER = new JsonMapper();
  private static final JsonNode SCRIPT = MAPPER.readTree(System.getenv("INTEROP_SCRIPT"));
  private static final String TEXT = SCRIPT.get("text").asString();
  private static final String MODEL = "scripted-1";
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final OpenAIClient client =
      OpenAIOkHttpClient.builder()
          .baseUrl(System.getenv("INTEROP_URL") + "/v1")
          .apiKey(System.getenv("INTEROP_KEY"))
          .maxRetries(0)
          .timeout(Duration.ofSeconds(20))
          .build();

  private interface Act {
    void run() throws Exception;
  }

  static void main() {
    var it = new OpenAiJava();
    run("plain", it::plain);
    run("unknown_fields_go_up", it::unknownFieldsGoUp);
    run("several_choices", it::severalChoices);
    run("streaming", it::streaming);
    run("streaming_with_usage", it::streamingWithUsage);
    run("streaming_oddly_written", it::streamingOddlyWritten);
    run("tools", () -> sameCalls(it.completion(it.withTools("tools")).choices().get(0).message()));
    run("tools_streamed_in_pieces", it::toolsStreamedInPieces);
    run("several_turns", it::severalTurns);
    run("error_400", () -> it.refused("bad", BadRequestException.class));
    run("error_401", () -> it.refused("denied", UnauthorizedException.class));
    run("error_404", () -> it.refused("missing", NotFoundException.class));
    run("error_429", it::error429);
    run("error_500", () -> it.refused("broken", InternalServerException.class));
    run("error_that_is_not_json", it::errorThatIsNotJson);
    run("sdk_tries_again", it::sdkTriesAgain);
    run("stream_cut_in_the_middle", () -> raises(OpenAIException.class, () -> it.streamed(it.asking("cut"))));
    run("error_in_the_middle_of_a_stream", () -> raises(OpenAIException.class, () -> it.streamed(it.asking("late-error"))));
    run("time_out", it::timeOut);
    run("client_leaves_a_stream", it::clientLeavesAStream);
    run("models_are_listed", it::modelsAreListed);
    run("many_at_a_time", it::manyAtATime);
    System.exit(0); // OkHttp's idle threads would hold the process for a minute
  }

  private void plain() {
    var reply = completion(asking("plain"));
    same(content(reply), TEXT);
    same(reply.usage().orElseThrow().promptTokens(), 21L);
    same(reply._additionalProperties().get("x_upstream").convert(Map.class), Map.of("cost", 0.00125, "region", "eu-1"));
  }

  private void unknownFieldsGoUp() {
    var mine = JsonValue.from(Map.of("deep", List.of(1, 2.5, "é")));
    same(content(completion(asking("plain").putAdditionalBodyProperty("x_mine", mine).seed(7))), TEXT);
  }

  private void severalChoices() {
    var texts = completion(asking("choices").n(2)).choices().stream().map(c -> c.message().content().orElseThrow()).toList();
    same(texts, List.of("one", "two"));
  }

  private void streaming() {
    same(content(streamed(asking("plain"))), TEXT);
  }

  private void streamingWithUsage() {
    var options = ChatCompletionStreamOptions.builder().includeUsage(true).build();
    same(streamed(asking("plain").streamOptions(options)).usage().orElseThrow().totalTokens(), 30L);
  }

  private void streamingOddlyWritten() {
    same(content(streamed(asking("odd"))), TEXT);
  }

  private void toolsStreamedInPieces() {
    sameCalls(streamed(withTools("tools")).choices().get(0).message());
  }

  private void severalTurns() {
    var params = withTools("tools");
    var first = completion(params).choices().get(0).message();
    params.addMessage(first);
    for (var call : calls(first)) {
      params.addMessage(
          ChatCompletionToolMessageParam.builder().toolCallId(call.id()).content(say("after-tool")).build());
    }
    same(content(completion(params)), "A table for four is held.");
  }

  private void error429() {
    var failure = (RateLimitException) refused("limited", RateLimitException.class);
    same(failure.headers().values("retry-after"), List.of("7"));
    raises(RateLimitException.class, () -> streamed(asking("limited")));
  }

  private void errorThatIsNotJson() {
    same(((OpenAIServiceException) raises(InternalServerException.class, () -> completion(asking("html")))).statusCode(), 502);
  }

  private void sdkTriesAgain() {
    var patient = client.withOptions(o -> o.maxRetries(2));
    same(content(patient.chat().completions().create(asking("retry").build())), "second time lucky");
  }

  private void timeOut() {
    var hasty = client.withOptions(o -> o.timeout(Duration.ofMillis(700)));
    raises(OpenAIIoException.class, () -> hasty.chat().completions().create(asking("hang").build()));
  }

  private void clientLeavesAStream() {
    try (var stream = client.chat().completions().createStreaming(asking("slow").build())) {
      same(stream.stream().findFirst().isPresent(), true);
    }
  }

  private void modelsAreListed() {
    same(client.models().list().data().stream().anyMatch(m -> m.id().equals(MODEL)), true);
  }

  private void manyAtATime() throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var replies = new ArrayList<java.util.concurrent.Future<ChatCompletion>>();
      for (int i = 0; i < 32; i++) {
        boolean stream = i % 2 == 0;
        replies.add(threads.submit(() -> stream ? streamed(asking("plain")) : completion(asking("plain"))));
      }
      for (var reply : replies) same(content(reply.get()), TEXT);
    }
  }

  private static String say(String scenario) {
    return "[" + scenario + "] java-" + COUNT.incrementAndGet();
  }

  private ChatCompletionCreateParams.Builder asking(String scenario) {
    return ChatCompletionCreateParams.builder().model(MODEL).addUserMessage(say(scenario));
  }

  private ChatCompletionCreateParams.Builder withTools(String scenario) {
    var builder = asking(scenario);
    for (var tool : SCRIPT.get("tools")) {
      var function = tool.get("function");
      var parameters = FunctionParameters.builder();
      function.get("parameters").properties().forEach(
          e -> parameters.putAdditionalProperty(e.getKey(), JsonValue.from(MAPPER.convertValue(e.getValue(), Object.class))));
      builder.addFunctionTool(
          FunctionDefinition.builder()
              .name(function.get("name").asString())
              .description(function.get("description").asString())
              .parameters(parameters.build())
              .build());
    }
    return builder;
  }

  private ChatCompletion completion(ChatCompletionCreateParams.Builder params) {
    return client.chat().completions().create(params.build());
  }

  private ChatCompletion streamed(ChatCompletionCreateParams.Builder params) {
    var whole = ChatCompletionAccumulator.create();
    try (var stream = client.chat().completions().createStreaming(params.build())) {
      stream.stream().forEach(whole::accumulate);
    }
    return whole.chatCompletion();
  }

  private OpenAIException refused(String scenario, Class<? extends OpenAIServiceException> kind) {
    var failure = (OpenAIServiceException) raises(kind, () -> completion(asking(scenario)));
    var scripted = SCRIPT.get("scenarios").get(scenario);
    same(failure.statusCode(), scripted.get("status").asInt());
    same(failure.type().orElseThrow(), scripted.get("body").get("error").get("type").asString());
    return failure;
  }

  private static String content(ChatCompletion reply) {
    return reply.choices().get(0).message().content().orElseThrow();
  }

  private static List<ChatCompletionMessageFunctionToolCall> calls(ChatCompletionMessage message) {
    return message.toolCalls().orElseThrow().stream().map(c -> c.asFunction()).toList();
  }

  private static void sameCalls(ChatCompletionMessage message) {
    var expected = SCRIPT.get("scenarios").get("tools").get("completion").get("choices").get(0).get("message").get("tool_calls");
    var found = calls(message);
    same(found.size(), expected.size());
    for (int i = 0; i < found.size(); i++) {
      same(found.get(i).id(), expected.get(i).get("id").asString());
      same(found.get(i).function().name(), expected.get(i).get("function").get("name").asString());
      same(found.get(i).function().arguments(), expected.get(i).get("function").get("arguments").asString());
    }
  }

  private static void same(Object actual, Object expected) {
    if (!Objects.equals(actual, expected)) throw new AssertionError(actual + " is not " + expected);
  }

  private static OpenAIException raises(Class<? extends OpenAIException> kind, Act act) {
    try {
      act.run();
    } catch (Exception failure) {
      if (kind.isInstance(failure)) return kind.cast(failure);
      throw new AssertionError(failure + " where " + kind.getSimpleName() + " was due", failure);
    }
    throw new AssertionError("nothing was thrown where " + kind.getSimpleName() + " was due");
  }

  private static void run(String name, Act act) {
    String why = null;
    try {
      act.run();
    } catch (Exception | AssertionError failure) {
      why = failure.toString();
    }
    var line = MAPPER.createObjectNode().put("client", "java").put("case", name).put("ok", why == null).put("why", why);
    System.out.println(line);
  }
}
