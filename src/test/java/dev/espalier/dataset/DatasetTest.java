package dev.espalier.dataset;

import static dev.espalier.dataset.Traffic.example;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.dataset.DatasetConfig.Prune;
import dev.espalier.store.Api;
import dev.espalier.store.CaptureFilter;
import dev.espalier.store.CapturedRequest;
import dev.espalier.store.Durability;
import dev.espalier.store.Example;
import dev.espalier.store.Feedback;
import dev.espalier.store.Outcome;
import dev.espalier.store.Store;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ObjectNode;

class DatasetTest {
  private static final String SYSTEM = "You are a very careful assistant of a hotel.";
  private static final String ANSWER =
      """
      {"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":null,\
      "refusal":null,"tool_calls":[{"index":0,"id":"1","type":"function","function":\
      {"name":"t","arguments":"{}"}}]}}]}\
      """;

  @TempDir private Path dir;

  @Test
  void everyExampleIsAccountedFor() {
    var examples = new ArrayList<Example>();
    for (int i = 0; i < 100; i++) examples.add(example("c" + i, SYSTEM, "room " + i, "yes"));
    examples.add(example("x", SYSTEM, "room 7", "yes"));
    examples.add(example("y", SYSTEM, "ROOM 7", "yes"));
    examples.add(example("z", SYSTEM, "long ".repeat(100), "yes"));
    var config = new DatasetConfig(0.2, 1, true, Prune.SYSTEM, 0.95, 50);
    var dataset = Dataset.of(examples, config, DatasetTest::words);
    var summary = dataset.summary();
    assertThat(summary.read()).isEqualTo(103);
    assertThat(summary.duplicates()).isEqualTo(1);
    assertThat(summary.nearDuplicates()).isEqualTo(1);
    assertThat(summary.tooLong()).isEqualTo(1);
    assertThat(summary.train() + summary.validation()).isEqualTo(100);
    assertThat(dataset.train()).hasSize(summary.train());
    assertThat(dataset.validation()).hasSize(summary.validation()).hasSizeBetween(18, 21);
    assertThat(summary.prunedTokens()).isEqualTo(101 * 9);
    assertThat(summary.unpruned()).isZero();
    assertThat(summary.trainTokens()).isEqualTo(3L * summary.train());
    assertThat(dataset.train()).noneMatch(e -> e.request().json().toString().contains("hotel"));
    assertThat(summary.toJson().get("pruned_tokens").asInt()).isEqualTo(909);
  }

  @Test
  void nothingToTrainOnIsAnErrorWithNumbers() {
    var examples = List.of(example("a", SYSTEM, "q", "a"));
    assertThatThrownBy(() -> Dataset.of(examples, DatasetConfig.of(1, 5), DatasetTest::words))
        .isInstanceOf(DatasetException.class)
        .hasMessage("nothing to train on: 1 examples, 0 duplicates, 1 of more than 5 tokens");
  }

  @Test
  void capturedRequestsBecomeExamples() {
    try (var store = Store.open(dir, Durability.PROCESS)) {
      for (int i = 0; i < 5; i++) capture(store, "r" + i, "gpt-" + i % 2, 200, ANSWER);
      capture(store, "cut", "gpt-0", 200, ANSWER.replace("\"stop\"", "\"length\""));
      capture(store, "text", "gpt-0", 200, "oops");
      capture(store, "bad", "gpt-0", 200, ANSWER.replace("\"{}\"", "\"{\""));
      capture(store, "failed", "gpt-0", 500, "{}");
      store.add(new Feedback("r2", Instant.now(), 1.0, "good", null));

      var read = CapturedExamples.read(store.captured(CaptureFilter.all()));
      assertThat(read.read()).isEqualTo(9);
      assertThat(read.left())
          .containsEntry("no whole answer", 1)
          .containsEntry("the response has no message", 1)
          .containsEntry("the answer was cut off", 1)
          .containsEntry("the answer's tool call has unparseable arguments", 1)
          .hasSize(4);
      assertThat(read.examples())
          .extracting(Example::source)
          .containsExactly("r0", "r1", "r2", "r3", "r4");
      assertThat(read.examples().getFirst().target().toString())
          .isEqualTo(
              """
              {"role":"assistant","tool_calls":[{"id":"1","type":"function","function":\
              {"name":"t","arguments":"{}"}}]}\
              """);
      assertThat(sources(store, CaptureFilter.answered().model("gpt-1")))
          .containsExactly("r1", "r3");
      assertThat(sources(store, CaptureFilter.answered().tag("n", "r3"))).containsExactly("r3");
      assertThat(sources(store, CaptureFilter.answered().minScore(0.5))).containsExactly("r2");
    }
  }

  @Test
  void anthropicRequestsBecomeExamplesToo() {
    var request =
        """
        {"model":"c","max_tokens":100,"system":[{"type":"text","text":"Be brief."}],"tools":[
          {"name":"t","description":"d","input_schema":{"type":"object"}}],"messages":[
          {"role":"user","content":"a"},
          {"role":"assistant","content":[{"type":"text","text":"I look."},
            {"type":"tool_use","id":"1","name":"t","input":{"x":1}}]},
          {"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":[
            {"type":"text","text":"found"}]},{"type":"text","text":"and now?"}]}]}\
        """;
    var answer =
        """
        {"role":"assistant","stop_reason":"tool_use","content":[
          {"type":"tool_use","id":"2","name":"t","input":{}}]}\
        """;
    assertThat(AnthropicJson.request((ObjectNode) Json.parse(request)))
        .isEqualTo(
            Json.parse(
                """
                {"model":"c","max_tokens":100,"tools":[{"type":"function","function":
                  {"name":"t","description":"d","parameters":{"type":"object"}}}],"messages":[
                  {"role":"system","content":"Be brief."},
                  {"role":"user","content":"a"},
                  {"role":"assistant","content":"I look.","tool_calls":[{"id":"1","type":"function",
                    "function":{"name":"t","arguments":"{\\"x\\":1}"}}]},
                  {"role":"tool","tool_call_id":"1","content":"found"},
                  {"role":"user","content":"and now?"}]}\
                """));
    assertThat(AnthropicJson.answer(Json.parse(answer)))
        .isEqualTo(Traffic.call("2", "t", "{}").without("content"));
    assertThatThrownBy(
            () -> AnthropicJson.answer(Json.parse(answer.replace("tool_use\"", "max_tokens\""))))
        .hasMessage("the answer was cut off");
    assertThatThrownBy(() ->
            AnthropicJson.request(
                (ObjectNode)
                    Json.parse(request.replace("\"text\",\"text\":\"I", "\"image\",\"text\":\"I"))))
        .hasMessage("content of type image cannot be learned from");
  }

  private static List<String> sources(Store store, CaptureFilter filter) {
    var read = CapturedExamples.read(store.captured(filter));
    return read.examples().stream().map(Example::source).toList();
  }

  private static void capture(Store store, String id, String model, int status, String response) {
    var request = example(id, SYSTEM, "question " + id, "-").request().json();
    store
        .capture(
            new CapturedRequest(
                id,
                Instant.now(),
                Api.OPENAI,
                model,
                "upstream:x",
                model,
                false,
                false,
                Json.write(request).getBytes(StandardCharsets.UTF_8),
                response.getBytes(StandardCharsets.UTF_8),
                status,
                Outcome.COMPLETE,
                Map.of("n", id),
                "v1",
                "conversation " + id,
                null,
                1,
                2,
                null,
                List.of()),
            null)
        .join();
  }

  private static int words(ChatRequest conversation) {
    int words = 0;
    for (var message : conversation.messages()) {
      words += message.path("content").asString("").split(" ", -1).length;
    }
    return words;
  }
}
