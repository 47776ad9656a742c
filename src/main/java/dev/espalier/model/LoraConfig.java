package dev.espalier.model;

import java.util.Set;

/// What a new LoRA adapter looks like.
///
/// @param alpha the adapter's part is scaled by alpha / rank
/// @param targets the kinds of linear layers to adapt, such as `q_proj`; empty means every one but
///   the head
public record LoraConfig(int rank, double alpha, Set<String> targets) {
  public LoraConfig {
    if (rank < 1) throw new IllegalArgumentException("a rank must be at least 1, not " + rank);
    if (!(alpha > 0)) throw new IllegalArgumentException("alpha must be positive, not " + alpha);
    targets = Set.copyOf(targets);
  }

  /// Every linear layer, alpha 32, as "LoRA Without Regret" has it.
  public static LoraConfig ofRank(int rank) {
    return new LoraConfig(rank, 32, Set.of());
  }

  boolean covers(ModelShape.Linear linear) {
    return targets.isEmpty() || targets.contains(linear.kind());
  }
}
