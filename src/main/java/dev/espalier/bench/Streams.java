package dev.espalier.bench;

import dev.espalier.chat.Sampling;
import dev.espalier.engine.Adapter;
import dev.espalier.engine.Engine;
import dev.espalier.engine.Generation;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// Streams that are generated together.
///
/// @param tokens that each of them got
/// @param total seconds from the request to the last token
/// @param decoding seconds from when each had its first token to the last one
record Streams(List<List<Integer>> tokens, double total, double decoding) {
  /// Greedy streams of so many tokens, all asked for at once of a fresh engine.
  ///
  /// @param prompts of each stream
  /// @param adapters of each stream
  static Streams run(
      Subject subject, int[][] prompts, List<@Nullable Adapter> adapters, int length) {
    return run(subject, prompts, adapters, i -> Sampling.greedy(length));
  }

  /// The same, sampled in some way.
  ///
  /// @param how each stream is sampled, by its number
  static Streams run(
      Subject subject,
      int[][] prompts,
      List<@Nullable Adapter> adapters,
      IntFunction<Sampling> how) {
    try (var engine = new Engine(subject.base(), prompts.length)) {
      var generations = new ArrayList<Generation>();
      long begin = System.nanoTime();
      for (int i = 0; i < prompts.length; i++) {
        generations.add(engine.generate(prompts[i], how.apply(i), Set.of(), adapters.get(i)));
      }
      var tokens = new ArrayList<List<Integer>>();
      for (var generation : generations) tokens.add(new ArrayList<>(List.of(next(generation))));
      long first = System.nanoTime();
      for (int i = 0; i < generations.size(); i++) {
        var generation = generations.get(i);
        for (var next = generation.next(); next != null; next = generation.next()) {
          tokens.get(i).add(next.id());
        }
      }
      long end = System.nanoTime();
      return new Streams(tokens, (end - begin) / 1e9, (end - first) / 1e9);
    }
  }

  private static int next(Generation generation) {
    var token = generation.next();
    if (token == null) throw new IllegalStateException("a stream without a token");
    return token.id();
  }

  /// Tokens a second after the first ones.
  double rate() {
    return tokens.stream().mapToInt(it -> it.size() - 1).sum() / decoding;
  }
}
