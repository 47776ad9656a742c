package dev.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.chat.Sampling;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whatever else runs, whatever the cache holds: greedy output is what it is alone.
///
/// Requests share starts, go on from each other's answers, come in batches or one by one, for
/// different adapters, and some are cancelled.
final class EngineScheduleTest {
  /// Where the two best tokens are nearer than that, either may be taken.
  private static final float TIE = 1e-4f;

  private static final int MOST = 24;

  @TempDir private Path folder = Path.of("");

  private record Asked(int[] prompt, @Nullable Adapter with, int tokens) {}

  @Test
  void greedyIsTheSameInAnyCompany() {
    schedules(12);
  }

  @Test
  @Tag("slow")
  void greedyIsTheSameInThousandsOfSchedules() {
    schedules(2000);
  }

  private static @Nullable Lease lease(@Nullable Adapter adapter) {
    return adapter == null ? null : Lease.of(adapter);
  }

  private void schedules(int count) {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    try (var base = TinyModel.load(folder);
        var one = adapter("one", base);
        var other = adapter("other", base)) {
      int ties = 0;
      int tokens = 0;
      for (int round = 0; round < count; round++) {
        var adapters = new @Nullable Adapter[] {null, one, other};
        var answers = schedule(base, random, adapters, 1 + random.nextInt(9));
        for (var answer : answers) {
          var alone = alone(base, answer.asked());
          int same = same(answer.tokens(), alone, "seed " + seed + ", round " + round);
          if (same < alone.size()) ties++;
          tokens += same;
        }
      }
      assertThat(tokens).isGreaterThan(20 * count);
      assertThat(ties).as("ties among %d tokens", tokens).isLessThan(tokens / 100);
    }
  }

  private static Adapter adapter(String name, BaseModel base) {
    return Adapter.load(name, name, TinyModel.FOLDER.resolve("lora-all-linear"), base);
  }

  private record Answered(Asked asked, List<Generation.Token> tokens) {}

  /// Three waves of requests; a later one may go on from an earlier answer.
  private static List<Answered> schedule(
      BaseModel base, Random random, @Nullable Adapter[] adapters, int slots) {
    var answered = new ArrayList<Answered>();
    try (var engine = new Engine(base, slots)) {
      var starts = List.of(text(random, 100), text(random, 70), text(random, 5));
      for (int wave = 0; wave < 3; wave++) {
        var asked = new ArrayList<Asked>();
        var running = new ArrayList<Generation>();
        for (int i = 0; i < 1 + random.nextInt(12); i++) {
          var request = request(base, random, adapters, starts, answered);
          asked.add(request);
          var greedy = Sampling.greedy(request.tokens());
          running.add(
              engine.prepare(request.prompt(), greedy, Set.of(), lease(request.with()), null));
        }
        if (random.nextBoolean()) engine.queue(running);
        else for (var generation : running) engine.queue(List.of(generation));
        for (int i = 0; i < running.size(); i++) {
          var generation = running.get(i);
          if (random.nextInt(8) == 0) generation.cancel();
          else answered.add(new Answered(asked.get(i), all(generation)));
        }
      }
    }
    return answered;
  }

  private static Asked request(
      BaseModel base,
      Random random,
      @Nullable Adapter[] adapters,
      List<int[]> starts,
      List<Answered> answered) {
    int tokens = 1 + random.nextInt(MOST);
    if (!answered.isEmpty() && random.nextBoolean()) {
      var before = answered.get(random.nextInt(answered.size()));
      var answer = before.tokens().stream().mapToInt(Generation.Token::id);
      var longer = join(before.asked().prompt(), join(answer.toArray(), text(random, 4)));
      if (longer.length + MOST < base.shape().context()) {
        return new Asked(longer, before.asked().with(), tokens);
      }
    }
    var start = starts.get(random.nextInt(starts.size()));
    var kept = IntStream.of(start).limit(start.length - random.nextInt(5)).toArray();
    var end = random.nextInt(3) == 0 ? new int[0] : text(random, random.nextInt(20));
    return new Asked(join(kept, end), adapters[random.nextInt(adapters.length)], tokens);
  }

  private static int[] text(Random random, int length) {
    return random.ints(length, 0, 96).toArray();
  }

  private static int[] join(int[] one, int[] other) {
    return IntStream.concat(IntStream.of(one), IntStream.of(other)).toArray();
  }

  private static List<Generation.Token> all(Generation generation) {
    var tokens = new ArrayList<Generation.Token>();
    for (var token = generation.next(); token != null; token = generation.next()) tokens.add(token);
    return tokens;
  }

  private static List<Generation.Token> alone(BaseModel base, Asked asked) {
    try (var engine = new Engine(base, 1)) {
      return all(
          engine.generate(asked.prompt(), Sampling.greedy(asked.tokens()), Set.of(), asked.with()));
    }
  }

  /// How many tokens are the same, up to the first tie that was broken otherwise.
  private static int same(List<Generation.Token> got, List<Generation.Token> alone, String which) {
    assertThat(got).as(which).hasSameSizeAs(alone);
    for (int i = 0; i < got.size(); i++) {
      assertThat(got.get(i).logprob())
          .as("%s, token %d", which, i)
          .isCloseTo(alone.get(i).logprob(), within(TIE));
      if (got.get(i).id() != alone.get(i).id()) return i;
    }
    return got.size();
  }
}
