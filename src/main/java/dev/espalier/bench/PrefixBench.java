package dev.espalier.bench;

import dev.espalier.chat.Json;
import dev.espalier.chat.Penalties;
import dev.espalier.chat.Sampling;
import dev.espalier.engine.Adapter;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// A group of 16 over one prompt of 512 tokens, 64 tokens each, and 16 prompts as long that have
/// nothing in common, in turns.
final class PrefixBench {
  private static final int GROUP = 16;
  private static final int PROMPT = 512;
  private static final int TOKENS = 64;
  private static final int ALONE = 4; // streams whose tokens are compared with what each says alone

  private PrefixBench() {}

  static ObjectNode run(Subject subject, int runs) {
    var speedups = new double[runs];
    var shared = new int[GROUP][];
    Arrays.fill(shared, subject.text(PROMPT, 0));
    Machine.warmUp(() -> {
      streams(subject, shared, 0);
      streams(subject, subject.texts(GROUP, PROMPT), 0);
    });
    Streams together = null;
    for (int i = 0; i < runs; i++) {
      together = streams(subject, shared, 0);
      var apart = streams(subject, subject.texts(GROUP, PROMPT), 0);
      speedups[i] = apart.total() / together.total();
    }
    int same = 0;
    for (int i = 0; i < ALONE; i++) {
      var alone = streams(subject, new int[][] {shared[0]}, i).tokens().getFirst();
      if (together != null && together.tokens().get(i).equals(alone)) same++;
    }
    return Json.object()
        .put("group16_speedup", Machine.median(speedups))
        .put("same_as_alone", same)
        .put("of", ALONE);
  }

  /// Streams at a temperature of 1, so that those of one prompt part soon.
  private static Streams streams(Subject subject, int[][] prompts, int firstSeed) {
    var base = Collections.<@Nullable Adapter>nCopies(prompts.length, null);
    return Streams.run(
        subject,
        prompts,
        base,
        i -> new Sampling(1, 1, 0, 0, TOKENS, (long) firstSeed + i, List.of(), Penalties.NONE, -1));
  }
}
