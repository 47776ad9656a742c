package dev.espalier.model;

import dev.espalier.tensor.Crew;
import dev.espalier.tensor.Lanes;
import java.util.List;
import java.util.function.IntConsumer;

/// A step of a pass over a row in which no token needs another.
interface TokenStep {
  /// Tokens that a thread takes at most through all steps, while their numbers are in its cache.
  int TILE = 256;

  /// Tokens that a thread takes where a step is computed by itself.
  int FEW = 32;

  /// Computes some tokens, on any thread.
  void compute(int from, int to);

  /// Whether it is computed for all tokens at once, and shares the work among threads by itself.
  default boolean whole() {
    return false;
  }

  /// A step that is computed for all tokens at once.
  static TokenStep whole(Runnable all) {
    return new TokenStep() {
      @Override
      public void compute(int from, int to) {
        all.run();
      }

      @Override
      public boolean whole() {
        return true;
      }
    };
  }

  /// A step of tokens side by side that is computed a panel at a time.
  static TokenStep ofPanels(IntConsumer step) {
    return (from, to) -> {
      for (int panel = from / Lanes.PANEL; panel < Lanes.panels(to); panel++) step.accept(panel);
    };
  }

  /// Computes steps that follow each other, on the device's thread.
  ///
  /// @param tokens of the row
  static void run(int tokens, List<TokenStep> steps) {
    if (tokens == 0) return;
    if (steps.stream().noneMatch(TokenStep::whole)) {
      share(tokens, tile(tokens), (from, to) -> steps.forEach(step -> step.compute(from, to)));
      return;
    }
    for (var step : steps) {
      if (step.whole()) step.compute(0, tokens);
      else share(tokens, FEW, step);
    }
  }

  /// As many tokens for each thread.
  private static int tile(int tokens) {
    int threads = Crew.device().size();
    int turns = Math.ceilDiv(tokens, TILE * threads);
    return Math.ceilDiv(Lanes.panels(tokens), turns * threads) * Lanes.PANEL;
  }

  private static void share(int tokens, int each, TokenStep step) {
    Crew.device()
        .run(
            Math.ceilDiv(tokens, each),
            i -> step.compute(i * each, Math.min(tokens, (i + 1) * each)));
  }
}
