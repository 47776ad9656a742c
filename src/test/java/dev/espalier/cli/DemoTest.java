package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.chat.Usage;
import dev.espalier.dataset.Dataset;
import dev.espalier.env.Dialogue.Turn;
import dev.espalier.env.Errands;
import dev.espalier.env.MarinaEnv;
import dev.espalier.env.PortAlder;
import dev.espalier.env.Trajectory;
import dev.espalier.env.Trajectory.End;
import dev.espalier.eval.TaskSuccess;
import dev.espalier.store.CaptureFilter;
import dev.espalier.store.Durability;
import dev.espalier.store.Price;
import dev.espalier.store.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ObjectNode;

/// The acts of the demo, with a student that has the answers once it was taught.
class DemoTest {
  private static final Usage USAGE = new Usage(200, 20);

  @TempDir private Path data;

  private DemoConfig config() {
    var price = new Price(DemoConfig.MODEL, 2, 8, 1);
    return new DemoConfig(data, 400, 1, 1, Duration.ZERO, price);
  }

  @Test
  void capturesTeachesSwitchesAndMeasures() {
    var events = new ArrayList<ObjectNode>();
    try (var store = Store.open(data, Durability.PROCESS);
        var student = new Crammer()) {
      var result = new Demo(config(), store, student, events::add).run();
      assertThat(result.requests()).isEqualTo(400);
      assertThat(result.captured()).isEqualTo(400);
      assertThat(result.scores().teacher().exact()).isEqualTo(1);
      assertThat(result.scores().base().exact()).isZero();
      assertThat(result.scores().nearest().exact()).isLessThan(0.05);
      assertThat(result.scores().distilled().exact()).isCloseTo(0.9, within(0.05));
      assertThat(result.scores().distilled().n()).isEqualTo(PortAlder.EVALUATION_CALLS);
      assertThat(result.scores().distilledUnseen().n()).isEqualTo(PortAlder.EVALUATION_CALLS);
      assertThat(result.gain().difference().low()).isPositive();
      assertThat(result.teacherCost()).isPositive();
      assertThat(result.practised().start().rate()).isZero();
      assertThat(result.practised().reinforced().rate()).isEqualTo(0.75);
      assertThat(result.practised().gain().low()).isPositive();

      assertThat(student.prompts).as("what was pruned of the prompt").isZero();
      var adapters =
          store
              .captured(CaptureFilter.answered())
              .filter(it -> it.servedBy().equals("adapter:" + DemoConfig.ADAPTER));
      assertThat(adapters.count())
          .as("requests of the same client, answered by the adapter and captured too")
          .isEqualTo(PortAlder.evaluation().size() + PortAlder.EVALUATION_CALLS);

      var summary = result.toJson();
      assertThat(summary.propertyNames())
          .startsWith(
              "event",
              "requests",
              "captured",
              "teacher",
              "base",
              "nearest",
              "distilled",
              "distilled_ci",
              "distilled_unseen",
              "rl_start",
              "reinforced",
              "reinforced_ci")
          .endsWith("seconds");
      assertThat(result.table()).contains("adapter minus base").contains("are configured");
    }
    assertThat(events.stream().map(it -> it.path("event").asString()))
        .containsSubsequence("captured", "dataset", "switched", "measured");
  }

  @Test
  void asksForEnoughToLearnFrom() {
    assertThatThrownBy(() -> DemoConfig.of(data, 399, 2, 1)).hasMessageContaining("at least 400");
  }

  /// Knows nothing, then nine of ten answers by heart.
  private static final class Crammer implements DemoStudent {
    private static final Message.Assistant UNKNOWN =
        new Message.Assistant("I would not know.", List.of());

    private final Map<List<Message>, Message.Assistant> answers = new HashMap<>();
    private int prompts;

    @Override
    public ChatModel base() {
      return request -> completion(UNKNOWN);
    }

    @Override
    public int tokens(ChatRequest conversation) {
      return conversation.json().toString().length() / 4;
    }

    @Override
    public int context() {
      return 8192;
    }

    @Override
    public void distil(Dataset dataset, String name, int epochs, Consumer<ObjectNode> progress) {
      if (name.equals(DemoConfig.BEGINNER)) {
        assertThat(dataset.train().size() + dataset.validation().size())
            .isLessThanOrEqualTo(DemoConfig.FEW);
        return;
      }
      for (var example : dataset.train()) {
        for (var message : example.request().conversation()) {
          if (message instanceof Message.System) prompts++;
        }
      }
      for (var turns : List.of(PortAlder.evaluation(), PortAlder.evaluationUnseen())) {
        for (int i = 0; i < turns.size(); i++) {
          if (i % 10 > 0) answers.put(key(turns.get(i)), turns.get(i).answer());
        }
      }
    }

    private static List<Message> key(Turn turn) {
      return ChatRequest.of("", turn.messages(), null).conversation();
    }

    @Override
    public Reinforcement reinforce(String from, String name, Consumer<ObjectNode> progress) {
      assertThat(from).isEqualTo(DemoConfig.BEGINNER);
      return new Reinforcement(finished(0), finished(3), 1, 1);
    }

    /// Twelve attempts, so many of four of which succeed.
    private static TaskSuccess finished(int ofFour) {
      var attempts = new ArrayList<Trajectory>();
      for (int i = 0; i < 12; i++) {
        var task = MarinaEnv.task("held-out", 1, i, Errands.ANY);
        var reward = Map.of(Trajectory.ENV, i % 4 < ofFour ? 1.0 : 0.0);
        attempts.add(new Trajectory(task, 0, Json.array(), null, List.of(), End.DONE, "", reward));
      }
      return new TaskSuccess(attempts);
    }

    @Override
    public @Nullable ChatModel find(String name) {
      if (!name.equals(DemoConfig.ADAPTER) || answers.isEmpty()) return null;
      return request -> completion(answers.getOrDefault(request.conversation(), UNKNOWN));
    }

    private static Completion completion(Message.Assistant answer) {
      var reason = answer.calls().isEmpty() ? FinishReason.STOP : FinishReason.TOOL_CALLS;
      return new Completion(answer, reason, USAGE, null);
    }

    @Override
    public List<String> names() {
      return answers.isEmpty() ? List.of() : List.of(DemoConfig.ADAPTER);
    }

    @Override
    public byte[] token(String model, int id) {
      return new byte[0];
    }

    @Override
    public void close() {}
  }
}
