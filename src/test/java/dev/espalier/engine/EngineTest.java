package dev.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.Penalties;
import dev.espalier.chat.Sampling;
import dev.espalier.model.PackedAdapters;
import dev.espalier.model.PackedAttention;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Generation: as transformers does it, the same alone and in company, and with sound
/// log-probabilities.
final class EngineTest {
  @TempDir private Path folder = Path.of("");
  private @Nullable Engine engine;
  private @Nullable Adapter adapter;

  @BeforeEach
  void load() {
    var base = TinyModel.load(folder);
    var lora = TinyModel.FOLDER.resolve("lora-all-linear");
    adapter = Adapter.load("a", "a@1", lora, base);
    engine = new Engine(base, 8);
  }

  @AfterEach
  void close() {
    engine().close();
  }

  private Engine engine() {
    if (engine == null) throw new IllegalStateException("not loaded");
    return engine;
  }

  private Adapter adapter() {
    return Objects.requireNonNull(adapter);
  }

  private static Sampling sampling(double temperature, int tokens, long seed) {
    return new Sampling(temperature, 1, 0, 0, tokens, seed, List.of(), Penalties.NONE, -1);
  }

  private static List<Generation.Token> all(Generation generation) {
    var tokens = new ArrayList<Generation.Token>();
    for (var token = generation.next(); token != null; token = generation.next()) {
      tokens.add(token);
    }
    return tokens;
  }

  private List<Integer> ids(int[] prompt, Sampling sampling, @Nullable Adapter with) {
    return all(engine().generate(prompt, sampling, Set.of(), with)).stream()
        .map(Generation.Token::id)
        .toList();
  }

  /// Attempts at one prompt are computed once for as long as they agree, and part one by one.
  @Test
  void twinsSayWhatEachSaysAlone() {
    var prompt = IntStream.range(1, 80).toArray();
    var alone = new ArrayList<List<Generation.Token>>();
    var together = new ArrayList<Generation>();
    for (int seed = 0; seed < 8; seed++) {
      var how = sampling(0.15, 40, seed);
      alone.add(all(engine().generate(prompt, how, Set.of(), adapter)));
      together.add(engine().prepare(prompt, how, Set.of(), Lease.of(adapter()), null));
    }
    engine().queue(together);
    var parts = new ArrayList<List<Integer>>();
    for (int i = 0; i < together.size(); i++) {
      var tokens = all(together.get(i));
      var expected = alone.get(i);
      parts.add(tokens.stream().map(Generation.Token::id).toList());
      assertThat(parts.getLast()).isEqualTo(expected.stream().map(Generation.Token::id).toList());
      for (int t = 0; t < tokens.size(); t++) {
        assertThat(tokens.get(t).logprob()).isCloseTo(expected.get(t).logprob(), within(1e-4f));
      }
    }
    // some agree for a while, and not all do to the end, or nothing was tested
    assertThat(parts.stream().map(ids -> ids.subList(0, 3)).distinct().count()).isLessThan(8);
    assertThat(parts.stream().distinct().count()).isGreaterThan(2);
  }

  @Test
  void greedyIsThatOfTransformersWithAndWithoutAnAdapter() throws IOException {
    for (var with : new Adapter[] {null, adapter}) {
      var file =
          TinyModel.FOLDER.resolve(
              with == null ? "expected.json" : "lora-all-linear/expected.json");
      var greedy = JsonMapper.shared().readTree(Files.readString(file)).path("greedy");
      var expected = greedy.path("continuation");
      assertThat(expected.size()).isPositive();
      var got = ids(ints(greedy.path("prompt")), Sampling.greedy(expected.size()), with);
      assertThat(got).isEqualTo(Stream.of(ints(expected)).flatMap(a -> box(a)).toList());
    }
  }

  private static int[] ints(JsonNode array) {
    var out = new int[array.size()];
    for (int i = 0; i < out.length; i++) out[i] = array.get(i).asInt();
    return out;
  }

  private static Stream<Integer> box(int[] values) {
    return java.util.Arrays.stream(values).boxed();
  }

  @Test
  void takesNoMoreMemoryThanItWasGiven() {
    var shape = engine().base().shape();
    long token = 2L * shape.layers() * shape.kvHeads() * shape.headDim() * 4;
    try (var small = new Engine(engine().base(), 8, 64 * 9 * token)) { // a scratch slot too
      assertThatThrownBy(() -> small.generate(new int[64], Sampling.greedy(1), Set.of(), null))
          .isInstanceOfSatisfying(
              ChatException.class, e -> assertThat(e.code()).isEqualTo(ChatException.TOO_LONG))
          .hasMessage(
              "the prompt has 64 tokens, but there is memory for 64 in each of 8 sequences at once");
      var cut = all(small.generate(new int[60], Sampling.greedy(50), Set.of(), null));
      assertThat(cut).hasSize(4);
    }
    assertThatThrownBy(() -> new Engine(engine().base(), 8, 1000))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("decode fewer at once");
  }

  @Test
  void longSequencesTakeTheRoomOfManySlots() {
    var shape = engine().base().shape();
    long token = 2L * shape.layers() * shape.kvHeads() * shape.headDim() * 4;
    assertThat(KvCache.slots(shape, Dtype.F32, 64 * 10 * token, 64, 32)).isEqualTo(10);
    assertThat(KvCache.slots(shape, Dtype.F32, 64 * 100 * token, 64, 32)).isEqualTo(32);
    assertThat(KvCache.slots(shape, Dtype.F32, token, 64, 32)).isEqualTo(1);
    assertThat(KvCache.slots(shape, Dtype.F32, shape.context() * token, 1 << 20, 32)).isEqualTo(1);
  }

  /// Of one seed: in one of some hundred others a draw falls between two words, nearer than sums in
  /// another order are to each other; `EngineScheduleTest` counts those.
  @Test
  void companyInTheBatchChangesNothing() {
    var random = new Random(5);
    record Case(int[] prompt, Sampling sampling, @Nullable Adapter with) {}
    var cases = new ArrayList<Case>();
    for (int i = 0; i < 40; i++) {
      var prompt = random.ints(1 + random.nextInt(30), 0, 96).toArray();
      var sampling = sampling(random.nextBoolean() ? 0 : 0.8, 1 + random.nextInt(25), i);
      cases.add(new Case(prompt, sampling, random.nextBoolean() ? adapter : null));
    }
    var together = new ArrayList<Generation>();
    for (var one : cases) {
      together.add(engine().generate(one.prompt(), one.sampling(), Set.of(), one.with()));
    }
    var inCompany = together.stream().map(EngineTest::all).toList();
    for (int i = 0; i < cases.size(); i++) {
      var one = cases.get(i);
      var alone = all(engine().generate(one.prompt(), one.sampling(), Set.of(), one.with()));
      assertThat(inCompany.get(i).stream().map(Generation.Token::id))
          .as("case %d", i)
          .containsExactlyElementsOf(alone.stream().map(Generation.Token::id).toList());
      for (int t = 0; t < alone.size(); t++) {
        assertThat(inCompany.get(i).get(t).logprob())
            .isCloseTo(alone.get(t).logprob(), within(1e-4f));
      }
    }
  }

  @Test
  void aStartThatIsThereAlreadyChangesNothing() {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    var start = random.ints(20, 0, 96).toArray();
    for (int i = 0; i < 12; i++) {
      var end = random.ints(1 + random.nextInt(10), 0, 96);
      var kept = Arrays.stream(start, 0, 1 + random.nextInt(start.length));
      var prompt = IntStream.concat(kept, end).toArray();
      var with = random.nextBoolean() ? adapter : null;
      var warm = all(engine().generate(prompt, Sampling.greedy(8), Set.of(), with));
      try (var fresh = new Engine(engine().base(), 1)) {
        var cold = all(fresh.generate(prompt, Sampling.greedy(8), Set.of(), with));
        for (int t = 0; t < 8; t++) {
          assertThat(warm.get(t).id()).as("seed %d, case %d", seed, i).isEqualTo(cold.get(t).id());
          assertThat(warm.get(t).logprob()).isCloseTo(cold.get(t).logprob(), within(1e-4f));
        }
      }
    }
  }

  /// The log-probability that a token was sampled with is the one it is trained with.
  @Test
  void logprobsAreThoseOfTheTrainingPass() {
    var prompt = new int[] {5, 17, 80, 3};
    var tokens = all(engine().generate(prompt, sampling(1, 20, 3), Set.of(), adapter));
    var whole = new long[prompt.length + tokens.size()];
    for (int i = 0; i < prompt.length; i++) whole[i] = prompt[i];
    for (int i = 0; i < tokens.size(); i++) whole[prompt.length + i] = tokens.get(i).id();
    var lora = Objects.requireNonNull(adapter).lora();
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var noGrad = new NoGradGuard()) {
                var base = engine().base();
                var adapters = PackedAdapters.of(new int[] {whole.length}, List.of(lora));
                var options = new TensorOptions(ScalarType.Long);
                var hidden =
                    base.decoder()
                        .hidden(
                            base.weights(),
                            torch.tensor(whole, options).view(1, -1),
                            torch.arange(new Scalar(whole.length), options).view(1, -1),
                            PackedAttention.causal(),
                            adapters);
                var logits = base.decoder().logits(base.weights(), hidden, adapters);
                var logprobs = torch.log_softmax(logits, -1).squeeze(0);
                for (int i = 0; i < tokens.size(); i++) {
                  float trained =
                      logprobs
                          .select(0, prompt.length + i - 1L)
                          .select(0, tokens.get(i).id())
                          .item_float();
                  assertThat(tokens.get(i).logprob()).isCloseTo(trained, within(2e-5f));
                }
              }
            });
  }

  @Test
  void aSeedRepeatsAndAnotherDiffers() {
    var prompt = new int[] {1, 2, 3};
    var first = ids(prompt, sampling(1.5, 30, 11), null);
    assertThat(ids(prompt, sampling(1.5, 30, 11), null)).isEqualTo(first);
    assertThat(ids(prompt, sampling(1.5, 30, 12), null)).isNotEqualTo(first);
  }

  @Test
  void aStopTokenEndsTheCompletionAndIsHandedOver() {
    var prompt = new int[] {6, 61, 79};
    var free = ids(prompt, Sampling.greedy(20), null);
    int stop = free.get(4);
    var stopped = all(engine().generate(prompt, Sampling.greedy(20), Set.of(stop), null));
    assertThat(stopped.getLast().id()).isEqualTo(stop);
    assertThat(stopped.stream().map(Generation.Token::id).toList())
        .isEqualTo(free.subList(0, free.indexOf(stop) + 1));
  }

  @Test
  void aPromptBeyondTheContextIsRefusedWithNumbers() {
    int context = engine().base().shape().context();
    assertThatThrownBy(
            () -> engine().generate(new int[context], Sampling.greedy(1), Set.of(), null))
        .isInstanceOf(ChatException.class)
        .hasMessageContaining("%d tokens".formatted(context));
  }

  @Test
  void aCancelledRequestGivesUpItsPlace() {
    var prompt = new int[] {1, 2, 3};
    var cancelled = new ArrayList<Generation>();
    for (int i = 0; i < 8; i++) {
      cancelled.add(engine().generate(prompt, Sampling.greedy(50), Set.of(), null));
    }
    cancelled.forEach(Generation::cancel);
    assertThat(ids(prompt, Sampling.greedy(5), null)).hasSize(5);
  }
}
