package dev.espalier.dataset;

/// How examples become a dataset.
///
/// @param validation the fraction of examples to hold out
/// @param seed of the split
/// @param deduplicate whether examples that say what another one says are left out
/// @param prune what static prompt text to remove
/// @param coverage the fraction of examples that must have a text before it counts as static
/// @param maxTokens examples of more tokens are left out and counted; 0 keeps all
public record DatasetConfig(
    double validation,
    long seed,
    boolean deduplicate,
    Prune prune,
    double coverage,
    int maxTokens) {
  /// Which static prompt text is removed.
  public enum Prune {
    NOTHING,
    SYSTEM,
    SYSTEM_AND_TOOLS
  }

  public DatasetConfig {
    if (!(validation >= 0 && validation < 1)) {
      throw new IllegalArgumentException("cannot hold out a fraction of " + validation);
    }
    if (!(coverage > 0 && coverage <= 1)) {
      throw new IllegalArgumentException("coverage must be above 0 and at most 1: " + coverage);
    }
    if (maxTokens < 0) throw new IllegalArgumentException("max tokens must not be negative");
  }

  /// A tenth held out, no duplicates, nothing pruned.
  public static DatasetConfig of(long seed, int maxTokens) {
    return new DatasetConfig(0.1, seed, true, Prune.NOTHING, 0.95, maxTokens);
  }
}
