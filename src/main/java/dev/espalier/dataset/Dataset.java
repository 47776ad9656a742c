package dev.espalier.dataset;

import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.store.Example;
import dev.espalier.store.PruningRules;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Examples ready to train on and to measure on.
///
/// @param rules what was pruned from every example, and must be from every request to the adapter
public record Dataset(
    List<Example> train, List<Example> validation, PruningRules rules, Summary summary) {

  /// What became of the examples: they are all accounted for.
  ///
  /// @param read examples that came in
  /// @param tooLong examples above the limit of tokens
  /// @param prunedTokens tokens that pruning removed, over all examples
  /// @param unpruned examples that did not have the text of every pruning rule
  /// @param trainTokens of the conversations to train on, before packing
  public record Summary(
      int read,
      int duplicates,
      int nearDuplicates,
      int tooLong,
      int train,
      int validation,
      int rules,
      long prunedTokens,
      int unpruned,
      long trainTokens,
      long validationTokens) {
    public ObjectNode toJson() {
      return Json.object()
          .put("read", read)
          .put("duplicates", duplicates)
          .put("near_duplicates", nearDuplicates)
          .put("too_long", tooLong)
          .put("train", train)
          .put("validation", validation)
          .put("rules", rules)
          .put("pruned_tokens", prunedTokens)
          .put("unpruned", unpruned)
          .put("train_tokens", trainTokens)
          .put("validation_tokens", validationTokens);
    }
  }

  public Dataset {
    train = List.copyOf(train);
    validation = List.copyOf(validation);
  }

  /// Deduplicates, prunes, leaves out what is too long, and splits.
  ///
  /// @param tokens how many tokens a conversation has
  /// @throws DatasetException if nothing is left to train on
  public static Dataset of(
      List<Example> examples, DatasetConfig config, ToIntFunction<ChatRequest> tokens) {
    var unique =
        config.deduplicate() ? Deduplicate.of(examples) : new Deduplicate.Result(examples, 0, 0);
    // What belongs together is found before pruning, which may remove what tells prompts apart.
    var split = Split.of(unique.kept(), config.validation(), config.seed());
    var rules =
        switch (config.prune()) {
          case NOTHING -> PruningRules.NONE;
          case SYSTEM -> StaticText.find(split.train(), config.coverage(), false);
          case SYSTEM_AND_TOOLS -> StaticText.find(split.train(), config.coverage(), true);
        };
    var train = new Part(split.train(), rules, config.maxTokens(), tokens);
    var validation = new Part(split.validation(), rules, config.maxTokens(), tokens);
    if (train.kept.isEmpty()) {
      throw new DatasetException(
          "nothing to train on: %d examples, %d duplicates, %d of more than %d tokens"
              .formatted(
                  examples.size(),
                  unique.duplicates() + unique.nearDuplicates(),
                  train.tooLong + validation.tooLong,
                  config.maxTokens()));
    }
    var summary =
        new Summary(
            examples.size(),
            unique.duplicates(),
            unique.nearDuplicates(),
            train.tooLong + validation.tooLong,
            train.kept.size(),
            validation.kept.size(),
            rules.rules().size(),
            train.prunedTokens + validation.prunedTokens,
            train.unpruned + validation.unpruned,
            train.tokens,
            validation.tokens);
    return new Dataset(train.kept, validation.kept, rules, summary);
  }

  /// One side of the split, pruned and counted.
  private static final class Part {
    private final List<Example> kept = new ArrayList<>();
    private int tooLong;
    private int unpruned;
    private long prunedTokens;
    private long tokens;

    Part(
        List<Example> examples,
        PruningRules rules,
        int maxTokens,
        ToIntFunction<ChatRequest> counter) {
      var removed = new ConcurrentHashMap<Start, Integer>();
      var counted =
          examples.parallelStream().map(it -> Counted.of(it, rules, counter, removed)).toList();
      for (var one : counted) {
        prunedTokens += one.removed();
        if (!one.matched()) unpruned++;
        if (maxTokens > 0 && one.tokens() > maxTokens) {
          tooLong++;
          continue;
        }
        kept.add(one.left());
        tokens += one.tokens();
      }
    }
  }

  /// A pruned example.
  ///
  /// @param tokens that are left
  /// @param removed tokens
  /// @param matched whether all rules did
  private record Counted(Example left, int tokens, int removed, boolean matched) {
    /// @param removed from starts that were seen; to count the tokens of a long system prompt for
    ///   every example takes longer than all else here
    static Counted of(
        Example example,
        PruningRules rules,
        ToIntFunction<ChatRequest> counter,
        ConcurrentMap<Start, Integer> removed) {
      var pruned = rules.apply(example.request());
      var left =
          new Example(pruned.request(), example.target(), example.conversation(), example.source());
      int tokens = counter.applyAsInt(Conversations.single(left));
      boolean some = pruned.unmatched().size() < rules.rules().size();
      int less =
          some
              ? removed.computeIfAbsent(
                  Start.of(example),
                  start -> counter.applyAsInt(Conversations.single(example)) - tokens)
              : 0;
      return new Counted(left, tokens, less, pruned.unmatched().isEmpty());
    }
  }

  /// What rules may remove of a request: of the same start they remove the same.
  private record Start(Set<String> instructions, @Nullable JsonNode tools) {
    static Start of(Example example) {
      return new Start(StaticText.systems(example), example.request().tools());
    }
  }
}
