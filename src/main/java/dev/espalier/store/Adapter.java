package dev.espalier.store;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// A LoRA adapter that can be served.
///
/// @param name the model name that clients use
/// @param path its PEFT folder
/// @param base the folder of the base model that it belongs to
/// @param pruningRule JSON of the rule that its requests are pruned by; null if none
/// @param metrics JSON of what was measured; null if nothing was
public record Adapter(
    String name,
    String path,
    String base,
    Instant created,
    @Nullable String pruningRule,
    @Nullable String metrics) {
  public Adapter {
    if (name.isBlank()) throw new IllegalArgumentException("an adapter needs a name");
  }

  /// What its requests are pruned by.
  public PruningRules rules() {
    return pruningRule == null ? PruningRules.NONE : PruningRules.fromJson(pruningRule);
  }
}
