package dev.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.Sampling;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// More requests than an engine has places for, and an engine that stands still.
final class OverloadTest {
  private static final int[] PROMPT = {1, 2, 3};

  @TempDir private Path folder = Path.of("");
  private @Nullable BaseModel base;

  @BeforeEach
  void load() {
    base = TinyModel.load(folder);
  }

  @AfterEach
  void close() {
    base().close();
  }

  private BaseModel base() {
    return Objects.requireNonNull(base);
  }

  private static Generation ask(Engine engine) {
    return engine.generate(PROMPT, Sampling.greedy(5), Set.of(), null);
  }

  private static int tokens(Generation generation) {
    int tokens = 0;
    while (generation.next() != null) tokens++;
    return tokens;
  }

  @Test
  void moreThanMayWaitAreToldWhenToComeAgain() throws InterruptedException {
    try (var engine = new Engine(base(), 1, new Patience(3, Duration.ofMinutes(1)))) {
      var waiting = new ArrayList<Generation>();
      try (var _ = new Held()) {
        for (int i = 0; i < 3; i++) waiting.add(ask(engine));
        var refused = catchThrowableOfType(ChatException.class, () -> ask(engine));
        assertThat(refused.status()).isEqualTo(429);
        assertThat(refused).hasMessage("3 requests are waiting already: try again in 1 s");
        assertThat(refused.retryAfter()).isEqualTo(1);
      }
      for (var one : waiting) assertThat(tokens(one)).isEqualTo(5);
      assertThat(tokens(ask(engine))).isEqualTo(5);
    }
  }

  @Test
  void oneThatLeavesTheQueueMakesRoomWhileOthersDecode() throws InterruptedException {
    try (var engine = new Engine(base(), 1, new Patience(1, Duration.ofMinutes(1)))) {
      var running = engine.generate(PROMPT, Sampling.greedy(200), Set.of(), null);
      assertThat(running.next()).isNotNull();
      Generation after;
      try (var _ = new Held()) {
        ask(engine).cancel();
      }
      while (true) {
        try {
          after = ask(engine);
          break;
        } catch (ChatException full) {
          assertThat(running.next()).as("the last token of the other").isNotNull();
        }
      }
      running.cancel();
      assertThat(tokens(after)).isEqualTo(5);
    }
  }

  @Test
  void aTokenThatDoesNotComeIsGivenUp() throws InterruptedException {
    try (var engine = new Engine(base(), 1, new Patience(3, Duration.ofMillis(100)))) {
      try (var _ = new Held()) {
        var stuck = ask(engine);
        var late = catchThrowableOfType(ChatException.class, stuck::next);
        assertThat(late.status()).isEqualTo(504);
        assertThat(stuck.cancelled()).isTrue();
      }
    }
    try (var engine = new Engine(base(), 1, new Patience(3, Duration.ofMinutes(1)))) {
      assertThat(tokens(ask(engine))).isEqualTo(5);
    }
  }

  @Test
  void theWaitIsThatOfThoseWhoWait() {
    var pace = new Pace();
    assertThat(pace.secondsFor(8, 1)).isEqualTo(1);
    pace.took(Duration.ofSeconds(4));
    assertThat(pace.secondsFor(8, 2)).isEqualTo(16);
    assertThat(pace.secondsFor(1, 8)).isEqualTo(1);
    assertThat(pace.secondsFor(800, 2)).isEqualTo(60);
    for (int i = 0; i < 100; i++) pace.took(Duration.ofMillis(500));
    assertThat(pace.secondsFor(8, 2)).isEqualTo(3);
  }
}
