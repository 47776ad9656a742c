package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.Json;
import dev.espalier.env.Dialogue;
import dev.espalier.env.Dialogue.Turn;
import dev.espalier.env.PortAlder;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Execution(ExecutionMode.CONCURRENT)
class DemoTeacherTest {
  private static final List<Turn> TURNS =
      PortAlder.captured(1, 40).map(Dialogue::turns).flatMap(List::stream).toList();

  private static ChatRequest request(Turn turn) {
    return ChatRequest.of("harbour-large", turn.messages(), PortAlder.tools());
  }

  @Test
  void answersEveryRequestOfARealClientRightPlainAndStreaming() throws Exception {
    try (var teacher = DemoTeacher.start(TURNS, Duration.ZERO);
        var client = new DemoClient(teacher.base());
        var pool = Executors.newFixedThreadPool(16)) {
      var answers =
          TURNS.stream().map(it -> pool.submit(() -> client.complete(request(it)))).toList();
      for (int i = 0; i < TURNS.size(); i++) {
        Completion answer = answers.get(i).get();
        assertThat(answer.message()).isEqualTo(TURNS.get(i).answer());
        assertThat(answer.usage().promptTokens()).isGreaterThan(1000);
        assertThat(answer.usage().completionTokens()).isPositive();
      }
      assertThat(client.requests()).isEqualTo(TURNS.size());
    }
  }

  @Test
  void takesItsTimeOverSixteenAtOnce() throws Exception {
    var delay = Duration.ofSeconds(1);
    try (var teacher = DemoTeacher.start(TURNS, delay);
        var client = new DemoClient(teacher.base());
        var pool = Executors.newFixedThreadPool(16)) {
      client.complete(request(TURNS.getFirst())); // connections and classes are warm from here on
      long start = System.nanoTime();
      for (Future<?> answer :
          TURNS.subList(0, 16).stream()
              .map(it -> pool.submit(() -> client.complete(request(it))))
              .toList()) {
        answer.get();
      }
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isBetween(delay, delay.multipliedBy(12)); // one after the other would be sixteen
    }
  }

  @Test
  void refusesWhatItWasNotTaught() {
    try (var teacher = DemoTeacher.start(TURNS, Duration.ZERO);
        var client = new DemoClient(teacher.base())) {
      var messages = Json.array().add(Json.object().put("role", "user").put("content", "Hello?"));
      assertThatThrownBy(() -> client.complete(ChatRequest.of("m", messages, null)))
          .isInstanceOf(ChatException.class)
          .hasMessageContaining("not taught")
          .extracting(it -> ((ChatException) it).status())
          .isEqualTo(404);
    }
  }
}
