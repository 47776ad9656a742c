package dev.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.chat.TokenTrace.Likely;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import tools.jackson.databind.node.ObjectNode;

/// Requests that limit their answers, to the built-in model, which would answer them otherwise.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ConstrainedTest {
  private final BaseModel base = BaseModel.load(Path.of("models/espalier-6m"));
  private final Engine engine = new Engine(base, 8);
  private final LocalModel model = LocalModel.base(engine);

  @BeforeAll
  void answersInWordsWhereNothingLimitsIt() {
    var message = model.complete(new ChatRequest(asking(0))).message();
    assertThat(message.calls()).isEmpty();
    assertThat(message.text()).doesNotStartWith("{");
  }

  @AfterAll
  void close() {
    engine.close();
    base.close();
  }

  private static ObjectNode asking(double temperature) {
    var request = Json.object().put("temperature", temperature).put("seed", 3);
    request.put("max_tokens", 200);
    request
        .putArray("messages")
        .addObject()
        .put("role", "user")
        .put("content", "Hello, how are you today?");
    return request;
  }

  private static ObjectNode schema() {
    return (ObjectNode)
        Json.parse(
            """
            {"type": "object", "additionalProperties": false, "required": ["mood", "reasons", "score"],
             "properties": {
               "mood": {"enum": ["good", "bad"]},
               "reasons": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string", "maxLength": 12}},
               "score": {"type": "integer", "minimum": 1, "maximum": 5}}}
            """);
  }

  @Test
  void refusesWhatIsNotText() {
    var request = asking(0);
    var parts = ((ObjectNode) request.at("/messages/0")).putArray("content");
    parts.addObject().put("type", "text").put("text", "What is this?");
    parts.addObject().put("type", "image_url").putObject("image_url").put("url", "data:,");
    assertThatThrownBy(() -> model.complete(new ChatRequest(request)))
        .isInstanceOf(ChatException.class)
        .hasMessageContaining("content of type image_url cannot be read");
  }

  /// As many as are asked for, the likeliest first, which greedy sampling takes.
  @Test
  void saysWhatElseWasLikely() {
    var request = asking(0).put("logprobs", true).put("top_logprobs", 3);
    var trace = Objects.requireNonNull(model.complete(new ChatRequest(request)).trace());
    var likeliest = Objects.requireNonNull(trace.likeliest());
    assertThat(likeliest).hasSameSizeAs(trace.ids());
    for (int i = 0; i < trace.ids().length; i++) {
      var some = likeliest.get(i);
      assertThat(some).hasSize(3);
      assertThat(some.getFirst()).isEqualTo(new Likely(trace.ids()[i], trace.logprobs()[i]));
      assertThat(some.get(1).logprob()).isLessThanOrEqualTo(some.getFirst().logprob());
      assertThat(some.get(2).logprob()).isLessThanOrEqualTo(some.get(1).logprob());
    }
    var without = model.complete(new ChatRequest(asking(0))).trace();
    assertThat(Objects.requireNonNull(without).likeliest()).isNull();
  }

  @Test
  void answersByASchemaGreedilyAndAtAnyTemperature() {
    for (double temperature : new double[] {0, 1, 2}) {
      var request = asking(temperature).put("top_p", temperature == 2 ? 0.9 : 1);
      request
          .putObject("response_format")
          .put("type", "json_schema")
          .putObject("json_schema")
          .put("name", "mood")
          .set("schema", schema());
      var completion = model.complete(new ChatRequest(request));
      var answer = Json.parse(completion.message().text());
      assertThat(completion.finish()).isEqualTo(FinishReason.STOP);
      assertThat(answer.get("mood").asString()).isIn("good", "bad");
      assertThat(answer.get("reasons").size()).isBetween(1, 2);
      assertThat(answer.get("score").asInt()).isBetween(1, 5);
    }
  }

  @Test
  void limitsSomeOfABatchAndNotTheOthers() {
    var free = asking(0);
    var limited = asking(0);
    limited.putObject("response_format").put("type", "json_object");
    var together =
        model.completeAll(
            List.of(new ChatRequest(free), new ChatRequest(limited), new ChatRequest(free)));
    var texts = new ArrayList<String>();
    for (var answer : together) texts.add(answer.get().message().text());
    assertThat(texts.get(0)).isEqualTo(model.complete(new ChatRequest(free)).message().text());
    assertThat(texts.get(2)).isEqualTo(texts.get(0));
    assertThat(texts.get(1)).startsWith("{");
  }

  @Test
  void callsTheToolThatIsForced() {
    var request = asking(0);
    request.putObject("tool_choice").put("type", "function").putObject("function").put("name", "b");
    for (var name : List.of("a", "b")) {
      request
          .withArray("tools")
          .addObject()
          .put("type", "function")
          .putObject("function")
          .put("name", name)
          .set("parameters", schema());
    }
    var completion = model.complete(new ChatRequest(request));
    assertThat(completion.finish()).isEqualTo(FinishReason.TOOL_CALLS);
    var call = completion.message().calls().getFirst();
    assertThat(completion.message().calls()).hasSize(1);
    assertThat(call.name()).isEqualTo("b");
    assertThat(Json.parse(call.arguments()).get("score").asInt()).isBetween(1, 5);
  }

  /// In the built-in model's calls half a value reads like a whole one.
  @Test
  void aCallThatIsCutIsNotHandedOver() {
    var request = asking(0).put("tool_choice", "required");
    request
        .withArray("tools")
        .addObject()
        .put("type", "function")
        .putObject("function")
        .put("name", "b")
        .set("parameters", schema());
    var whole = model.complete(new ChatRequest(request));
    assertThat(whole.finish()).isEqualTo(FinishReason.TOOL_CALLS);
    for (int tokens = 1; tokens < whole.usage().completionTokens(); tokens++) {
      var cut = model.complete(new ChatRequest(request.deepCopy().put("max_tokens", tokens)));
      assertThat(cut.finish()).isEqualTo(FinishReason.LENGTH);
      assertThat(cut.message().calls()).isEmpty();
      assertThat(cut.message().text()).isEmpty();
    }
  }

  @Test
  void whatCannotBeKeptToIsRefusedBeforeAnythingIsComputed() {
    var request = asking(0);
    request
        .putObject("response_format")
        .put("type", "json_schema")
        .putObject("json_schema")
        .set("schema", Json.object().put("type", "string").put("pattern", "a+"));
    assertThatThrownBy(() -> model.complete(new ChatRequest(request)))
        .isInstanceOf(ChatException.class)
        .hasMessage("the JSON schema at # has \"pattern\", which cannot be kept to here");
  }
}
