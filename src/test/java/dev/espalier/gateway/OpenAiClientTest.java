package dev.espalier.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.errors.BadRequestException;
import com.openai.errors.InternalServerException;
import com.openai.errors.NotFoundException;
import com.openai.errors.OpenAIIoException;
import com.openai.errors.RateLimitException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import dev.espalier.store.Api;
import dev.espalier.store.Outcome;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The official Java client, unchanged but for its base URL.
class OpenAiClientTest {
  @TempDir private Path dir;

  private static OpenAIClient client(Rig rig) {
    return OpenAIOkHttpClient.builder()
        .baseUrl(rig.url("/v1"))
        .apiKey("sk-of-the-client")
        .maxRetries(0)
        .build();
  }

  private static ChatCompletionCreateParams.Builder question() {
    return ChatCompletionCreateParams.builder().model("gpt-x").addUserMessage("2+2?");
  }

  @Test
  void plain() throws Exception {
    try (var upstream = new ScriptedUpstream((request, wire) -> wire.json(200, Wires.RESPONSE));
        var rig = Rig.before(upstream, dir)) {
      var client = client(rig);
      var completion = client.chat().completions().create(question().build());
      assertThat(completion.choices().getFirst().message().content()).contains("4");
      assertThat(upstream.requests.getFirst().headers())
          .containsEntry("authorization", "Bearer sk-of-the-client");
      assertThat(rig.captured()).hasSize(1);
      client.close();
    }
  }

  @Test
  void streamOfAToolCall() throws Exception {
    try (var upstream = new ScriptedUpstream((request, wire) -> Wires.toolCall(wire));
        var rig = Rig.before(upstream, dir)) {
      var client = client(rig);
      var parameters =
          FunctionParameters.builder()
              .putAdditionalProperty("type", JsonValue.from("object"))
              .putAdditionalProperty("properties", JsonValue.from(Map.of()))
              .build();
      var function = FunctionDefinition.builder().name("add").parameters(parameters).build();
      var accumulator = ChatCompletionAccumulator.create();
      try (var stream =
          client
              .chat()
              .completions()
              .createStreaming(question().addFunctionTool(function).build())) {
        stream.stream().forEach(accumulator::accumulate);
      }
      var call =
          accumulator.chatCompletion().choices().getFirst().message().toolCalls().orElseThrow();
      assertThat(call.getFirst().asFunction().function().arguments())
          .isEqualTo("{\"a\":2,\"b\":2}");
      var stored = rig.captured().getFirst().responseJson();
      assertThat(stored.at("/choices/0/message/tool_calls/0/function/arguments").asString())
          .isEqualTo("{\"a\":2,\"b\":2}");
      client.close();
    }
  }

  @Test
  void errors() throws Exception {
    var error = "{\"error\":{\"message\":\"m\",\"type\":\"t\",\"param\":null,\"code\":\"c\"}}";
    try (var upstream =
            new ScriptedUpstream((request, wire) ->
                wire.json(Integer.parseInt(request.headers().get("x-status")), error));
        var rig = Rig.before(upstream, dir)) {
      var client = client(rig);
      var kinds =
          Map.of(
              400, BadRequestException.class,
              404, NotFoundException.class,
              429, RateLimitException.class,
              500, InternalServerException.class);
      for (var kind : kinds.entrySet()) {
        var params = question().putAdditionalHeader("x-status", kind.getKey().toString()).build();
        assertThatThrownBy(() -> client.chat().completions().create(params))
            .isInstanceOf(kind.getValue());
      }
      client.close();
    }
  }

  @Test
  void timeOuts() throws Exception {
    var release = new CountDownLatch(1);
    try (var upstream =
        new ScriptedUpstream((request, wire) -> release.await(20, TimeUnit.SECONDS))) {
      var slow =
          new Upstream(
              "slow",
              upstream.base(),
              Set.of(Api.OPENAI),
              null,
              List.of("*"),
              Duration.ofMillis(400));
      try (var rig = new Rig(dir, GatewayConfig.of(0, slow), LocalModels.none())) {
        var patient = client(rig);
        assertThatThrownBy(() -> patient.chat().completions().create(question().build()))
            .isInstanceOfSatisfying(
                InternalServerException.class, e -> assertThat(e.statusCode()).isEqualTo(504));
        var hasty = patient.withOptions(options -> options.timeout(Duration.ofMillis(100)));
        assertThatThrownBy(() -> hasty.chat().completions().create(question().build()))
            .isInstanceOf(OpenAIIoException.class);
        patient.close();
      } finally {
        release.countDown();
      }
    }
  }

  @Test
  void aStreamThatBreaksOffIsNoAnswer() throws Exception {
    try (var upstream =
            new ScriptedUpstream((request, wire) -> {
              wire.startStream();
              wire.event(Wires.chunk("{\"content\":\"fo\"}", "null"));
              throw new IOException("cut");
            });
        var rig = Rig.before(upstream, dir)) {
      var client = client(rig);
      assertThatThrownBy(
              () -> {
                try (var stream = client.chat().completions().createStreaming(question().build())) {
                  assertThat(stream.stream().count()).isPositive();
                }
              })
          .isInstanceOf(OpenAIIoException.class);
      assertThat(rig.captured().getFirst().outcome()).isEqualTo(Outcome.TRUNCATED);
      client.close();
    }
  }
}
