package dev.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.chat.Sampling;
import dev.espalier.model.Peft;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Prompts computed in one pass score as each does alone.
final class PrefillTest {
  @SuppressWarnings("ArrayRecordComponent") // nobody compares them
  private record Prompt(int[] tokens, @Nullable Adapter adapter) {}

  @TempDir private Path folder = Path.of("");

  /// Short passes go row by row, long ones have tokens side by side where the processor suits them.
  @ParameterizedTest
  @ValueSource(ints = {12, 110})
  void aPassTakesStartsFromOldSlotsAndFromItsOwnPrompts(int length) {
    long seed = new Random().nextLong();
    try (var base = TinyModel.load(folder);
        var one = adapter(base, 1);
        var other = adapter(base, -2)) {
      var adapters = new @Nullable Adapter[] {null, one, other};
      var random = new Random(seed);
      for (int round = 0; round < 20; round++) {
        int most = 1 + round % adapters.length; // adapters of a pass
        var start = random.ints(length, 0, 96).toArray();
        var prompts = new ArrayList<Prompt>();
        prompts.add(new Prompt(start, adapters[random.nextInt(most)]));
        for (int i = 0; i < 5; i++) {
          var from = prompts.get(random.nextInt(prompts.size())).tokens();
          int kept = random.nextInt(from.length + 1);
          var end = random.ints(1 + random.nextInt(8), 0, 96);
          var tokens = IntStream.concat(IntStream.of(from).limit(kept), end).toArray();
          prompts.add(new Prompt(tokens, adapters[random.nextInt(most)]));
        }
        prompts.add(prompts.get(3)); // one that is there whole
        var alone = prompts.stream().map(prompt -> scores(base, List.of(List.of(prompt)))).toList();
        // the first two passes leave old prompts behind, whose slots the third takes over
        var together = scores(base, List.of(prompts.subList(0, 2), prompts.subList(2, 4), prompts));
        for (int i = 0; i < prompts.size(); i++) {
          assertThat(together.get(i))
              .as("seed %d, round %d, prompt %d", seed, round, i)
              .containsExactly(alone.get(i).getFirst(), within(1e-4f));
        }
      }
    }
  }

  @Test
  void aPromptInPartsScoresAsWhole() {
    long seed = new Random().nextLong();
    try (var base = TinyModel.load(folder)) {
      var prompt = new Prompt(new Random(seed).ints(230, 0, 96).toArray(), null);
      var whole = scores(base, List.of(List.of(prompt))).getFirst();
      Device.cpu()
          .run(
              Urgency.DECODE,
              () -> {
                try (var noGrad = new NoGradGuard();
                    var cache = new PromptCache(base, 7)) {
                  for (int left = prompt.tokens().length; left > 0; left -= 100) {
                    var pass = new Prefill(cache, 0, 100);
                    pass.add(List.of(generation(prompt)));
                    assertThat(pass.started()).hasSize(left > 100 ? 0 : 1);
                    var scores = pass.run(base).contiguous();
                    if (left > 100) continue;
                    var last = new float[whole.length];
                    scores.data_ptr_float().get(last);
                    assertThat(last).as("seed %d", seed).containsExactly(whole, within(1e-4f));
                  }
                }
              });
    }
  }

  /// Attempts at a task, the first of which came a moment before the others.
  @Test
  void thoseThatStartAsARunningOneShareOneStart() {
    try (var base = TinyModel.load(folder)) {
      var prompt = new Prompt(new Random(1).ints(110, 0, 96).toArray(), null);
      Device.cpu()
          .run(
              Urgency.DECODE,
              () -> {
                try (var noGrad = new NoGradGuard();
                    var cache = new PromptCache(base, 7)) {
                  var alone = new Prefill(cache, 0, Integer.MAX_VALUE);
                  alone.add(List.of(generation(prompt)));
                  alone.run(base);
                  var others = IntStream.range(0, 4).mapToObj(i -> generation(prompt)).toList();
                  var pass = new Prefill(cache, 1, Integer.MAX_VALUE);
                  pass.add(others);
                  pass.run(base);
                  var start = others.getFirst().segment();
                  assertThat(start).isNotNull();
                  assertThat(others)
                      .allSatisfy(one -> {
                        assertThat(one.segment()).isSameAs(start);
                        assertThat(one.base()).isEqualTo(109); // one token is left to compute
                      });
                }
              });
    }
  }

  /// The scores of the last pass's prompts; passes share a cache, and each starts at slot 0.
  private static List<float[]> scores(BaseModel base, List<List<Prompt>> passes) {
    return Device.cpu()
        .run(
            Urgency.DECODE,
            () -> {
              var out = new ArrayList<float[]>();
              try (var noGrad = new NoGradGuard();
                  var cache = new PromptCache(base, 7)) {
                for (var prompts : passes) {
                  out.clear();
                  var pass = new Prefill(cache, 0, Integer.MAX_VALUE);
                  pass.add(prompts.stream().map(PrefillTest::generation).toList());
                  int vocabulary = base.shape().vocabulary();
                  var all = new float[prompts.size() * vocabulary];
                  pass.run(base).contiguous().data_ptr_float().get(all);
                  for (int i = 0; i < prompts.size(); i++) {
                    out.add(Arrays.copyOfRange(all, i * vocabulary, (i + 1) * vocabulary));
                  }
                }
              }
              return out;
            });
  }

  private static Generation generation(Prompt prompt) {
    var lease = prompt.adapter() == null ? null : Lease.of(prompt.adapter());
    return new Generation(
        prompt.tokens(), Sampling.greedy(1), Set.of(), lease, null, Duration.ofMinutes(1));
  }

  /// The reference adapter, with its effect that many times.
  private static Adapter adapter(BaseModel base, double factor) {
    return Device.cpu()
        .run(
            Urgency.DECODE,
            () -> {
              try (var noGrad = new NoGradGuard();
                  var lora = Peft.load(TinyModel.FOLDER.resolve("lora-all-linear"), base.shape())) {
                for (var site : lora.sites().values()) site.b().mul_(new Scalar(factor));
                var name = "times " + factor;
                return new Adapter(name, name, lora.frozen(base.shape(), base.dtype()));
              }
            });
  }
}
