package dev.espalier.rl;

/// The dials of a run.
///
/// @param steps optimiser batches
/// @param groups tasks of a step
/// @param learningRate of the policy at the first step; it falls linearly to a tenth
/// @param rank of the policy's adapter, where it starts from none
/// @param alpha likewise: its scale is alpha / rank
/// @param criticRate the critic's learning rate, where the algorithm has one
/// @param evaluateEvery steps between evaluations; 0 for the last only
/// @param seed of everything
/// @param staleness how many steps the policy that makes attempts may be behind the one that learns
///   from them; above 0 the next steps' attempts are made while a step trains, and a run that was
///   killed ends with other bits
public record RlConfig(
    Algorithm algorithm,
    int steps,
    int groups,
    double learningRate,
    int rank,
    double alpha,
    double criticRate,
    int evaluateEvery,
    long seed,
    int staleness) {
  private static final int STALEST = 4; // further behind, the correction does not hold
  private static final double LAST = 0.1; // of the learning rate

  public RlConfig {
    if (steps < 1) throw new IllegalArgumentException("at least one step is needed");
    if (groups < 1) throw new IllegalArgumentException("a step needs at least one group");
    if (rank < 1) throw new IllegalArgumentException("an adapter needs a rank of at least 1");
    if (!(alpha > 0)) throw new IllegalArgumentException("alpha must be positive: " + alpha);
    if (!(learningRate > 0 && criticRate > 0 && Double.isFinite(learningRate + criticRate))) {
      throw new IllegalArgumentException("a learning rate must be positive and finite");
    }
    if (staleness < 0 || staleness > STALEST) {
      throw new IllegalArgumentException(
          "staleness is 0 to %d, not %d".formatted(STALEST, staleness));
    }
    if (evaluateEvery < 0) throw new IllegalArgumentException("evaluate-every cannot be negative");
  }

  /// The policy's learning rate at a step, from 0.
  double rate(int step) {
    return learningRate * (1 - (1 - LAST) * step / steps);
  }
}
