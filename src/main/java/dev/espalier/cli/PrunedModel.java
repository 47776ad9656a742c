package dev.espalier.cli;

import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.engine.LocalModel;
import dev.espalier.store.PruningRules;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// An adapter that is asked as it was trained: its pruning rules are applied to every request.
///
/// @param unmatched counts requests without the text of some rule, which the adapter was not
///   trained for
record PrunedModel(ChatModel model, PruningRules rules, AtomicLong unmatched) implements ChatModel {
  /// An adapter, its requests pruned by those rules.
  static ChatModel of(LocalModel model, PruningRules rules, AtomicLong unmatched) {
    return rules.rules().isEmpty() ? model : new PrunedModel(model, rules, unmatched);
  }

  @Override
  public Completion complete(ChatRequest request) {
    return model.complete(pruned(request));
  }

  @Override
  public Completion stream(ChatRequest request, Consumer<String> text) {
    return model.stream(pruned(request), text);
  }

  @Override
  public List<Supplier<Completion>> completeAll(List<ChatRequest> requests) {
    return model.completeAll(requests.stream().map(this::pruned).toList());
  }

  private ChatRequest pruned(ChatRequest request) {
    var pruned = rules.apply(request);
    if (!pruned.unmatched().isEmpty()) unmatched.incrementAndGet();
    return pruned.request();
  }
}
