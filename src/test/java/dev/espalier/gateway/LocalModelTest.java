package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.chat.TokenTrace;
import dev.espalier.chat.TokenTrace.Likely;
import dev.espalier.chat.ToolCall;
import dev.espalier.chat.Usage;
import dev.espalier.store.Durability;
import dev.espalier.store.Outcome;
import dev.espalier.store.Route;
import dev.espalier.store.Route.Target;
import dev.espalier.store.Store;
import dev.espalier.store.TokenUsage;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalModelTest {
  @TempDir private Path dir;

  /// A space, the halves of a smile, and the end of a turn.
  private static final List<byte[]> PIECES =
      List.of(
          new byte[] {' '},
          new byte[] {(byte) 0xF0, (byte) 0x9F},
          new byte[] {(byte) 0x98, (byte) 0x80},
          "<end>".getBytes(UTF_8));

  private record Models(Map<String, ChatModel> byName) implements LocalModels {
    @Override
    public @Nullable ChatModel find(String name) {
      return byName.get(name);
    }

    @Override
    public @Nullable String whyNot(String name) {
      return name.equals("foreign") ? "foreign belongs to another base" : null;
    }

    @Override
    public List<String> names() {
      return List.copyOf(byName.keySet());
    }

    @Override
    public byte[] token(String model, int id) {
      return id < PIECES.size() ? PIECES.get(id) : ("<" + id + ">").getBytes(UTF_8);
    }

    @Override
    public List<Figure> figures() {
      return List.of(new Figure("mine_total", "Of mine.", byName.size()));
    }
  }

  /// Says "It is " and "4" and calls a tool.
  private static final class Speaker implements ChatModel {
    @Override
    public Completion complete(ChatRequest request) {
      return new Completion(
          new Message.Assistant("It is 4", List.of(new ToolCall("call_1", "add", "{\"a\":2}"))),
          FinishReason.TOOL_CALLS,
          new Usage(7, 3),
          new TokenTrace(
              new int[] {1},
              new int[] {5, 6},
              new float[] {-0.5f, -1f},
              "base",
              1,
              List.of(List.of(), List.of(new Likely(7, -0.75f), new Likely(6, -1)))));
    }

    @Override
    public Completion stream(ChatRequest request, Consumer<String> text) {
      text.accept("It is ");
      text.accept("4");
      return complete(request);
    }
  }

  /// Says a smile, of which a space before it and what a stop text cut are no part.
  private static final class Smiler implements ChatModel {
    @Override
    public Completion complete(ChatRequest request) {
      return new Completion(
          new Message.Assistant("😀", List.of()),
          FinishReason.STOP,
          new Usage(7, 5),
          new TokenTrace(
              new int[] {9},
              new int[] {0, 1, 2, 9, 3},
              new float[] {0, -1, -2, -3, -4},
              "base",
              1));
    }
  }

  /// Says nothing for a while, halfway.
  private static final class Thinker implements ChatModel {
    private static final long LONG = Duration.ofMillis(2500).toNanos();

    @Override
    public Completion complete(ChatRequest request) {
      return new Completion(
          new Message.Assistant("It is 4", List.of()), FinishReason.STOP, new Usage(7, 3), null);
    }

    @Override
    public Completion stream(ChatRequest request, Consumer<String> text) {
      text.accept("It is ");
      LockSupport.parkNanos(LONG);
      text.accept("4");
      return complete(request);
    }
  }

  /// Ends its turn with its first token, or calls a tool at once.
  private record Silent(List<ToolCall> calls) implements ChatModel {
    @Override
    public Completion complete(ChatRequest request) {
      return new Completion(
          new Message.Assistant("", calls), FinishReason.STOP, new Usage(7, 1), null);
    }

    @Override
    public Completion stream(ChatRequest request, Consumer<String> text) {
      return complete(request);
    }
  }

  private static final class Failing implements ChatModel {
    private final boolean late;

    Failing(boolean late) {
      this.late = late;
    }

    @Override
    public Completion complete(ChatRequest request) {
      throw new ChatException(503, "out of memory");
    }

    @Override
    public Completion stream(ChatRequest request, Consumer<String> text) {
      if (late) text.accept("half");
      throw new ChatException(503, "out of memory");
    }
  }

  private Rig rig(Upstream... upstreams) {
    var models =
        new Models(
            Map.of("mine", new Speaker(), "early", new Failing(false), "late", new Failing(true)));
    return new Rig(dir, GatewayConfig.of(0, upstreams), models);
  }

  @Test
  void aRouteThatNobodyAnswersIsNotListed() throws Exception {
    var gone = new Target.Adapter("gone");
    try (var store = Store.open(dir, Durability.PROCESS)) {
      store.put(new Route("dead", gone, null));
      store.put(new Route("saved", gone, new Target.Adapter("mine")));
    }
    try (var rig = rig()) {
      var listed = Json.parse(rig.get("/v1/models")).path("data");
      assertThat(listed.valueStream().map(model -> model.path("id").asString()))
          .contains("mine", "saved")
          .doesNotContain("dead");
    }
  }

  @Test
  void aRouteToALocalModelIsNoAnswerInAnthropicsFormat() throws Exception {
    try (var rig = rig()) {
      rig.put("/api/routes/claude-x", "{\"target\":{\"adapter\":\"mine\"}}");
      var response = rig.post("/anthropic/v1/messages", Wires.local("claude-x", ""));
      assertThat(response.statusCode()).isEqualTo(400);
      var json = Json.parse(Rig.text(response));
      assertThat(json.at("/error/message").asString()).contains("OpenAI's format only");
    }
  }

  @Test
  void answersInOpenAisFormat() throws Exception {
    try (var rig = rig()) {
      var response =
          rig.post("/v1/chat/completions", Wires.local("mine", ",\"logprobs\":true,\"n\":2"));
      var json = Json.parse(Rig.text(response));
      assertThat(json.path("object").asString()).isEqualTo("chat.completion");
      assertThat(json.path("choices").size()).isEqualTo(2);
      assertThat(json.at("/choices/0/message/content").asString()).isEqualTo("It is 4");
      assertThat(json.at("/choices/1/message/tool_calls/0/function/name").asString())
          .isEqualTo("add");
      assertThat(json.at("/choices/0/finish_reason").asString()).isEqualTo("tool_calls");
      assertThat(json.at("/choices/0/logprobs/content/1/token").asString()).isEqualTo("<6>");
      assertThat(json.at("/choices/0/logprobs/content/1/logprob").asDouble()).isEqualTo(-1);
      assertThat(json.at("/choices/0/logprobs/content/1/top_logprobs").toString())
          .isEqualTo(
              "[{\"token\":\"<7>\",\"logprob\":-0.75,\"bytes\":[60,55,62]},"
                  + "{\"token\":\"<6>\",\"logprob\":-1.0,\"bytes\":[60,54,62]}]");
      assertThat(json.at("/usage/total_tokens").asInt()).isEqualTo(7 + 2 * 3);
      var captured = rig.captured().getFirst();
      assertThat(captured.response()).isEqualTo(response.body());
      assertThat(captured.servedBy()).isEqualTo("adapter:mine");
      assertThat(rig.get("/v1/models")).contains("\"mine\"");
      assertThat(rig.get("/metrics"))
          .contains("# HELP mine_total Of mine.\n# TYPE mine_total counter\nmine_total 3\n");
    }
  }

  @Test
  void logProbabilitiesAreThoseOfTheTextByteByByte() throws Exception {
    try (var rig = new Rig(dir, GatewayConfig.of(0), new Models(Map.of("mine", new Smiler())))) {
      var response = rig.post("/v1/chat/completions", Wires.local("mine", ",\"logprobs\":true"));
      var content = Json.parse(Rig.text(response)).at("/choices/0/logprobs/content");
      assertThat(content.valueStream().map(it -> it.path("bytes").toString()))
          .containsExactly("[240,159]", "[152,128]");
      assertThat(content.at("/1/logprob").asDouble()).isEqualTo(-2);
    }
  }

  @Test
  void streamsAndCapturesWhatItStreamed() throws Exception {
    try (var rig = rig()) {
      var more = ",\"stream\":true,\"stream_options\":{\"include_usage\":true}";
      var response = rig.post("/v1/chat/completions", Wires.local("mine", more));
      assertThat(Rig.text(response)).endsWith("data: [DONE]\n\n").contains("\"It is \"");
      var captured = rig.captured().getFirst();
      assertThat(rig.store.rawStream(captured.id())).isEqualTo(response.body());
      assertThat(captured.usage()).isEqualTo(new TokenUsage(7, 3, 0, false));
      var message = captured.responseJson().at("/choices/0/message");
      assertThat(message.path("content").asString()).isEqualTo("It is 4");
      assertThat(message.at("/tool_calls/0/function/arguments").asString()).isEqualTo("{\"a\":2}");
    }
  }

  @Test
  void onlyTheFirstChunkOfAChoiceHasARole() throws Exception {
    var calls = List.of(new ToolCall("call_1", "add", "{}"));
    var models =
        Map.of("mine", new Speaker(), "mute", new Silent(List.of()), "calls", new Silent(calls));
    try (var rig = new Rig(dir, GatewayConfig.of(0), new Models(models))) {
      for (var name : models.keySet()) {
        var response =
            rig.post("/v1/chat/completions", Wires.local(name, ",\"stream\":true,\"n\":2"));
        var begun = new HashSet<Integer>();
        for (var line : Rig.text(response).split("\n\n")) {
          if (line.equals("data: [DONE]")) continue;
          var choice = Json.parse(line.substring("data: ".length())).at("/choices/0");
          boolean first = begun.add(choice.path("index").asInt());
          assertThat(choice.at("/delta/role").asString(""))
              .as(name)
              .isEqualTo(first ? "assistant" : "");
        }
        assertThat(begun).containsExactlyInAnyOrder(0, 1);
      }
      var mute = rig.post("/v1/chat/completions", Wires.local("mute", ",\"stream\":true"));
      assertThat(Rig.text(mute))
          .contains("{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":\"stop\"");
    }
  }

  @Test
  void aSilentStreamShowsThatItIsThere() throws Exception {
    try (var rig = new Rig(dir, GatewayConfig.of(0), new Models(Map.of("mine", new Thinker())))) {
      var response = rig.post("/v1/chat/completions", Wires.local("mine", ",\"stream\":true"));
      assertThat(Rig.text(response)).contains("\n\n: \n\n").endsWith("data: [DONE]\n\n");
      var captured = rig.captured().getFirst();
      assertThat(rig.store.rawStream(captured.id())).isEqualTo(response.body());
      assertThat(captured.responseJson().at("/choices/0/message/content").asString())
          .isEqualTo("It is 4");
    }
  }

  @Test
  void anAdapterOfAnotherBaseIsNotFoundAndShadowsNobody() throws Exception {
    try (var rig = rig()) {
      var response = rig.post("/v1/chat/completions", Wires.local("foreign", ""));
      assertThat(response.statusCode()).isEqualTo(404);
      var error = Json.parse(Rig.text(response)).path("error");
      assertThat(error.path("message").asString()).isEqualTo("foreign belongs to another base");
      assertThat(error.path("type").asString()).isEqualTo("invalid_request_error");
      var route = rig.put("/api/routes/gpt-x", "{\"target\":{\"adapter\":\"foreign\"}}");
      assertThat(route.statusCode()).isEqualTo(400);
      assertThat(Rig.text(route)).contains("belongs to another base");
      rig.store.put(new Route("gpt-y", new Target.Adapter("foreign"), null));
    }
    try (var upstream = new ScriptedUpstream((request, wire) -> Wires.text(wire));
        var rig = rig(Upstream.of("main", upstream.base()))) {
      var routed =
          rig.post("/v1/chat/completions", Wires.local("gpt-y", "")); // by an earlier start
      assertThat(routed.statusCode()).isEqualTo(404);
      assertThat(Rig.text(routed)).contains("belongs to another base");
      var named = rig.post("/v1/chat/completions", Wires.local("foreign", ""));
      assertThat(named.statusCode()).isEqualTo(200);
      assertThat(rig.captured().getLast().servedBy()).isEqualTo("upstream:main");
    }
  }

  @Test
  void refusesWhatItCannotSample() throws Exception {
    try (var rig = rig()) {
      var response = rig.post("/v1/chat/completions", Wires.local("mine", ",\"temperature\":9"));
      assertThat(response.statusCode()).isEqualTo(400);
      assertThat(Rig.text(response)).contains("temperature");
      for (var wrong :
          List.of(
              "\"n\":0",
              "\"top_logprobs\":2",
              "\"logprobs\":true,\"top_logprobs\":21",
              "\"logprobs\":true,\"top_logprobs\":-1",
              "\"frequency_penalty\":3",
              "\"logit_bias\":{\"50256\":-100}",
              "\"functions\":[{\"name\":\"add\"}]",
              "\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"add\"}}]",
              "\"web_search_options\":{\"search_context_size\":\"low\"}",
              "\"stop\":5",
              "\"stop\":true",
              "\"stop\":[\"a\",5]",
              "\"stop\":{\"a\":\"b\"}",
              "\"logprobs\":\"yes\"",
              "\"logprobs\":5",
              "\"guided_json\":{\"type\":\"object\"}",
              "\"guided_regex\":\"a+\"",
              "\"guided_choice\":[\"a\",\"b\"]",
              "\"guided_grammar\":\"root ::= 1\"",
              "\"min_tokens\":5",
              "\"ignore_eos\":true",
              "\"stop_token_ids\":[2]",
              "\"repetition_penalty\":1.2",
              "\"best_of\":4",
              "\"modalities\":[\"text\",\"audio\"]",
              "\"temprature\":0.2",
              "\"temprature\":0",
              "\"repetition_penalty\":0",
              "\"skip_special_tokens\":false",
              "\"web_search_options\":{}",
              "\"unknown_field\":[1]")) {
        var refused = rig.post("/v1/chat/completions", Wires.local("mine", "," + wrong));
        assertThat(refused.statusCode()).as(wrong).isEqualTo(400);
        assertThat(Rig.text(refused)).contains(wrong.substring(1, wrong.indexOf("\":")));
      }
      var nothing =
          ",\"stop\":null,\"logprobs\":false,\"logit_bias\":{},\"min_tokens\":0,\"ignore_eos\":false"
              + ",\"repetition_penalty\":1,\"best_of\":1,\"stop_token_ids\":[],\"modalities\":[\"text\"]"
              + ",\"user\":\"u\",\"metadata\":{\"a\":\"b\"},\"reasoning_effort\":\"low\",\"store\":true,\"provider\":{\"sort\":\"price\"},\"usage\":{\"include\":true}";
      assertThat(rig.post("/v1/chat/completions", Wires.local("mine", nothing)).statusCode())
          .isEqualTo(200);
    }
  }

  @Test
  void fallsBackToTheUpstreamBeforeTheFirstByteOnly() throws Exception {
    try (var upstream = new ScriptedUpstream((request, wire) -> Wires.text(wire));
        var rig = rig(Upstream.of("main", upstream.base()))) {
      for (var name : List.of("early", "late")) {
        var set =
            rig.put(
                "/api/routes/gpt-" + name,
                "{\"target\":{\"adapter\":\"%s\"},\"fallback\":{\"upstream\":\"main\"}}"
                    .formatted(name));
        assertThat(set.statusCode()).isEqualTo(200);
      }
      var early = rig.post("/v1/chat/completions", Wires.local("gpt-early", ",\"stream\":true"));
      assertThat(early.statusCode()).isEqualTo(200);
      assertThat(upstream.requests).hasSize(1);
      assertThatThrownBy(
              () -> rig.post("/v1/chat/completions", Wires.local("gpt-late", ",\"stream\":true")))
          .isInstanceOf(IOException.class);
      assertThat(upstream.requests).hasSize(1);
      assertThat(rig.captured())
          .extracting(r -> r.servedBy() + " " + r.outcome())
          .containsExactly(
              "upstream:main " + Outcome.COMPLETE, "adapter:late " + Outcome.TRUNCATED);
    }
  }

  @Test
  void whatAnAdapterCannotDoIsForTheFallback() throws Exception {
    try (var upstream = new ScriptedUpstream((request, wire) -> Wires.text(wire));
        var rig = rig(Upstream.of("main", upstream.base()))) {
      var route = "{\"target\":{\"adapter\":\"mine\"},\"fallback\":{\"upstream\":\"main\"}}";
      assertThat(rig.put("/api/routes/gpt-mine", route).statusCode()).isEqualTo(200);
      for (var more :
          List.of(
              "\"logit_bias\":{\"50256\":-100}",
              "\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"add\"}}]")) {
        var response = rig.post("/v1/chat/completions", Wires.local("gpt-mine", "," + more));
        assertThat(response.statusCode()).as(more).isEqualTo(200);
        assertThat(rig.captured().getLast().servedBy()).isEqualTo("upstream:main");
      }
      assertThat(upstream.requests).hasSize(2);
    }
  }

  @Test
  void saysWhyALocalModelFailed() throws Exception {
    try (var rig = rig()) {
      var response = rig.post("/v1/chat/completions", Wires.local("early", ""));
      assertThat(response.statusCode()).isEqualTo(503);
      assertThat(Rig.text(response)).contains("out of memory");
      assertThat(response.headers().firstValue("retry-after")).contains("1");
    }
  }
}
