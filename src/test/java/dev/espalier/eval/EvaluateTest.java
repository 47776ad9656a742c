package dev.espalier.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.chat.ToolCall;
import dev.espalier.chat.Usage;
import dev.espalier.store.Example;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ObjectNode;

class EvaluateTest {
  private static final EvaluateConfig CONFIG = new EvaluateConfig(16, 512, "m");
  private static final Message.Assistant BOOK = calls("book", "{\"city\":\"Rome\",\"people\":2}");

  @Test
  void everyWayToBeWrongIsCountedApart() {
    assertThat(grade(BOOK, calls("book", "{\"people\":2.0,\"city\":\"Rome\"}")))
        .isEqualTo(Grade.EXACT);
    assertThat(grade(BOOK, calls("book", "{\"city\":\"Rome\",\"people\":")))
        .isEqualTo(Grade.UNPARSEABLE);
    assertThat(grade(BOOK, calls("cancel", "{\"city\":\"Rome\",\"people\":2}")))
        .isEqualTo(Grade.WRONG_TOOL);
    assertThat(grade(BOOK, calls("book", "{\"city\":\"Rome\"}"))).isEqualTo(Grade.WRONG_ARGUMENT);
    assertThat(grade(BOOK, calls("book", "{\"city\":\"Rome\",\"people\":2,\"pets\":1}")))
        .isEqualTo(Grade.WRONG_ARGUMENT);
    assertThat(grade(BOOK, calls("book", "{\"city\":\"Rome\",\"people\":\"2\"}")))
        .isEqualTo(Grade.WRONG_VALUE);
    assertThat(grade(BOOK, text("Which city?"))).isEqualTo(Grade.NO_CALL);
    assertThat(grade(BOOK, text("<tool_call>\n{\"name\": \"bo"))).isEqualTo(Grade.UNPARSEABLE);
  }

  @Test
  void theFirstWayToBeWrongCounts() {
    assertThat(grade(BOOK, calls("cancel", "{oops"))).isEqualTo(Grade.UNPARSEABLE);
    assertThat(grade(BOOK, calls("cancel", "{}"))).isEqualTo(Grade.WRONG_TOOL);
    assertThat(grade(BOOK, calls("book", "{\"city\":\"Oslo\"}"))).isEqualTo(Grade.WRONG_ARGUMENT);
  }

  @Test
  void callsOfOneTurnHaveNoOrder() {
    var two = calls("book", "{\"city\":\"Rome\"}", "book", "{\"city\":\"Oslo\"}");
    assertThat(grade(two, calls("book", "{\"city\":\"Oslo\"}", "book", "{\"city\":\"Rome\"}")))
        .isEqualTo(Grade.EXACT);
    assertThat(grade(two, calls("book", "{\"city\":\"Oslo\"}", "book", "{\"city\":\"Oslo\"}")))
        .isEqualTo(Grade.WRONG_VALUE);
    assertThat(grade(two, calls("book", "{\"city\":\"Oslo\"}"))).isEqualTo(Grade.WRONG_TOOL);
    assertThat(grade(calls("book", "{\"city\":\"Oslo\"}"), two)).isEqualTo(Grade.WRONG_TOOL);
  }

  @Test
  void textIsScoredApartFromCalls() {
    assertThat(grade(text("Booked."), text(" Booked.\n"))).isEqualTo(Grade.EXACT);
    assertThat(grade(text("Booked."), text("Done."))).isEqualTo(Grade.OTHER_TEXT);
    assertThat(grade(text("Booked."), BOOK)).isEqualTo(Grade.FALSE_CALL);
    assertThat(TextOverlap.f1("the red car", "A red car!")).isEqualTo(2.0 / 3, within(1e-9));
    assertThat(TextOverlap.f1("no no", "no")).isEqualTo(2.0 / 3, within(1e-9));
    assertThat(TextOverlap.f1("", "")).isEqualTo(1);
    assertThat(TextOverlap.f1("a", "")).isZero();
  }

  @Test
  void theReportAddsUp() {
    var examples =
        List.of(
            example("a", BOOK),
            example("b", BOOK),
            example("c", BOOK),
            example("d", text("Hi you")));
    var answers = List.of(BOOK, calls("cancel", "{}"), text("fail"), text("Hi there"));
    var report = Evaluate.run(scripted(examples, answers), examples, CONFIG, turn -> {});
    var json = report.toJson();
    assertThat(json.get("exact").asDouble()).isEqualTo(1.0 / 3);
    assertThat(json.get("n").asInt()).isEqualTo(3);
    assertThat(json.get("wrong_tool").asInt()).isEqualTo(1);
    assertThat(json.get("no_call").asInt()).isZero();
    assertThat(json.get("errors").asInt()).isEqualTo(1);
    assertThat(json.get("first_error").asString()).isEqualTo("503 overloaded");
    assertThat(json.get("text_n").asInt()).isEqualTo(1);
    assertThat(json.get("text_f1").asDouble()).isEqualTo(0.5);
    assertThat(json.get("completion_tokens").asInt()).isEqualTo(3 * 5);
    assertThat(json.get("exact_ci").get(0).asDouble()).isLessThan(1.0 / 3);
    assertThat(report.turns())
        .extracting(turn -> turn.example().source())
        .containsExactly("a", "b", "c", "d");
  }

  @Test
  void whatWasNotMeasuredIsNull() {
    var examples = List.of(example("a", text("Hi")));
    var json =
        Evaluate.run(scripted(examples, List.of(text("Hi"))), examples, CONFIG, t -> {}).toJson();
    assertThat(json.get("exact").isNull()).isTrue();
    assertThat(json.get("exact_ci").isNull()).isTrue();
    assertThat(json.get("text_exact").asDouble()).isEqualTo(1);
  }

  @Test
  void theQuestionIsTheCapturedOneAskedGreedily() {
    var request =
        (ObjectNode)
            Json.parse(
                """
                {"model":"gpt","stream":true,"temperature":1.5,"seed":4,"n":3,"top_p":0.1,
                 "tool_choice":"required","messages":[{"role":"user","content":"hi"}]}
                """);
    var asked = new ConcurrentLinkedQueue<ChatRequest>();
    var example = new Example(new ChatRequest(request), json(BOOK), "c", "s");
    ChatModel model =
        question -> {
          asked.add(question);
          return completion(BOOK);
        };
    Evaluate.run(model, List.of(example), CONFIG, turn -> {});
    assertThat(asked.remove().json().toString())
        .isEqualTo(
            """
            {"model":"m","tool_choice":"required","messages":[{"role":"user","content":"hi"}],\
            "temperature":0,"max_tokens":512}\
            """);
    assertThat(request.get("temperature").asDouble()).isEqualTo(1.5);
  }

  @Test
  void requestsRunTogetherUpToTheLimit() {
    var examples = new ArrayList<Example>();
    for (int i = 0; i < 12; i++) examples.add(example("e" + i, BOOK));
    var inFlight = new AtomicInteger();
    var most = new AtomicInteger();
    var four = new CountDownLatch(4);
    ChatModel model =
        request -> {
          most.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
          four.countDown();
          try {
            assertThat(four.await(10, TimeUnit.SECONDS)).isTrue();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
          inFlight.decrementAndGet();
          return completion(BOOK);
        };
    Evaluate.run(model, examples, new EvaluateConfig(4, 8, ""), turn -> {});
    assertThat(most.get()).isEqualTo(4);
  }

  @Test
  void aDefectEndsTheEvaluation() {
    ChatModel broken =
        request -> {
          throw new IllegalStateException("a defect");
        };
    var examples = List.of(example("a", BOOK), example("b", BOOK));
    assertThatThrownBy(() -> Evaluate.run(broken, examples, CONFIG, turn -> {}))
        .hasMessage("a defect");
  }

  @Test
  void twoModelsAreComparedOnTheSameTurns() {
    var random = new Random(3);
    var examples = new ArrayList<Example>();
    var good = new ArrayList<Message.Assistant>();
    var poor = new ArrayList<Message.Assistant>();
    for (int i = 0; i < 200; i++) {
      examples.add(example("turn" + i, BOOK));
      good.add(random.nextInt(10) < 9 ? BOOK : text("?"));
      poor.add(random.nextInt(10) < 3 ? BOOK : text("?"));
    }
    var a = Evaluate.run(scripted(examples, good), examples, CONFIG, turn -> {});
    var b = Evaluate.run(scripted(examples, poor), examples, CONFIG, turn -> {});
    var comparison = Comparison.of(a, b, 1);
    assertThat(comparison.difference().contains(a.exact() - b.exact())).isTrue();
    assertThat(comparison.difference().low()).isBetween(0.45, 0.6);
    assertThat(comparison.toJson().get("n").asInt()).isEqualTo(200);
    assertThat(Comparison.of(a, a, 1).difference().width()).isZero();

    var others = Evaluate.run(scripted(examples, good), examples.reversed(), CONFIG, turn -> {});
    assertThatThrownBy(() -> Comparison.of(a, others, 1))
        .hasMessage("the models were measured on different turns: turn0 and turn199");
  }

  /// A reference answer is exact under its own grading.
  @Test
  void theExpectedAnswerGradesAsExact() {
    for (var answer :
        List.of(BOOK, text("Hi"), calls("a", "{}", "a", "{}", "b", "{\"x\":[1,{}]}"))) {
      assertThat(grade(answer, answer)).isEqualTo(Grade.EXACT);
    }
  }

  private static Grade grade(Message.Assistant expected, Message.Assistant answer) {
    return Grading.grade(expected, answer);
  }

  private static Message.Assistant text(String text) {
    return new Message.Assistant(text, List.of());
  }

  /// Names and arguments in turn.
  private static Message.Assistant calls(String... namesAndArguments) {
    var calls = new ArrayList<ToolCall>();
    for (int i = 0; i < namesAndArguments.length; i += 2) {
      calls.add(new ToolCall("c" + i, namesAndArguments[i], namesAndArguments[i + 1]));
    }
    return new Message.Assistant("", calls);
  }

  private static Example example(String id, Message.Assistant target) {
    var messages = Json.array();
    messages.addObject().put("role", "user").put("content", id);
    return new Example(ChatRequest.of("gpt", messages, null), json(target), id, id);
  }

  private static ObjectNode json(Message.Assistant message) {
    var json = Json.object().put("role", "assistant").put("content", message.text());
    if (message.calls().isEmpty()) return json;
    var calls = json.putArray("tool_calls");
    for (var call : message.calls()) {
      var function =
          calls.addObject().put("id", call.id()).put("type", "function").putObject("function");
      function.put("name", call.name()).put("arguments", call.arguments());
    }
    return json;
  }

  /// Answers each example with its answer; the text "fail" is an error.
  private static ChatModel scripted(List<Example> examples, List<Message.Assistant> answers) {
    return request -> {
      for (int i = 0; i < examples.size(); i++) {
        if (!examples.get(i).request().messages().equals(request.messages())) continue;
        if (answers.get(i).text().equals("fail")) throw new ChatException(503, "overloaded");
        return completion(answers.get(i));
      }
      throw new AssertionError("not in " + Arrays.toString(examples.toArray()));
    };
  }

  private static Completion completion(Message.Assistant message) {
    return new Completion(message, FinishReason.STOP, new Usage(10, 5), null);
  }
}
