package dev.espalier.bench;

import dev.espalier.chat.Json;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// A group of 16 over one prompt of 512 tokens, 64 tokens each, and 16 prompts as long that have
/// nothing in common, in turns.
final class PrefixBench {
  private static final int GROUP = 16;
  private static final int PROMPT = 512;
  private static final int TOKENS = 64;

  private PrefixBench() {}

  static ObjectNode run(Subject subject, int runs) {
    var speedups = new double[runs];
    var shared = new int[GROUP][];
    Arrays.fill(shared, subject.text(PROMPT, 0));
    Streams together = null;
    for (int i = -1; i < runs; i++) {
      together = streams(subject, shared);
      var apart = streams(subject, subject.texts(GROUP, PROMPT));
      if (i >= 0) speedups[i] = apart.total() / together.total();
    }
    var alone = streams(subject, new int[][] {shared[0]}).tokens().getFirst();
    var tokens = together == null ? List.<List<Integer>>of() : together.tokens();
    long same = tokens.stream().filter(alone::equals).count();
    return Json.object()
        .put("group16_speedup", Machine.median(speedups))
        .put("same_as_alone", same)
        .put("of", GROUP);
  }

  private static Streams streams(Subject subject, int[][] prompts) {
    return Streams.run(subject, prompts, Collections.nCopies(prompts.length, null), TOKENS);
  }
}
