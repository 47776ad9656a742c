package dev.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.chat.Penalties;
import dev.espalier.chat.Sampling;
import dev.espalier.tensor.Dtype;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Streams that read one start together say what each says alone; by the built-in model, whose
/// heads are as wide as a register needs.
final class SharedStartTest {
  private static final int STREAMS = 13;
  private static final int TOKENS = 20;

  @Test
  void streamsOfOnePromptSayWhatEachSaysAlone() {
    var prompt = new Random(2).ints(101, 10, 4000).toArray();
    var alone = new ArrayList<List<Generation.Token>>();
    var together = new ArrayList<Generation>();
    try (var engine = engine()) {
      for (int seed = 0; seed < STREAMS; seed++) {
        alone.add(all(engine.generate(prompt, sampling(seed), Set.of(), null)));
      }
    }
    try (var engine = engine()) { // where nobody holds the prompt yet
      for (int seed = 0; seed < STREAMS; seed++) {
        together.add(engine.prepare(prompt, sampling(seed), Set.of(), null, null));
      }
      engine.queue(together);
      for (int i = 0; i < STREAMS; i++) {
        var tokens = all(together.get(i));
        var expected = alone.get(i);
        assertThat(tokens).extracting("id").isEqualTo(expected.stream().map(t -> t.id()).toList());
        for (int t = 0; t < tokens.size(); t++) {
          assertThat(tokens.get(t).logprob()).isCloseTo(expected.get(t).logprob(), within(1e-4f));
        }
      }
    }
  }

  private static Engine engine() {
    return new Engine(BaseModel.load(Path.of("models/espalier-6m"), Dtype.F32), STREAMS);
  }

  private static Sampling sampling(long seed) {
    return new Sampling(1, 1, 0, 0, TOKENS, seed, List.of(), Penalties.NONE, -1);
  }

  private static List<Generation.Token> all(Generation generation) {
    var tokens = new ArrayList<Generation.Token>();
    for (var token = generation.next(); token != null; token = generation.next()) {
      tokens.add(token);
    }
    return tokens;
  }
}
