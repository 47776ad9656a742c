package dev.espalier.env;

import dev.espalier.chat.Sampling;
import java.time.Duration;

/// How attempts are made.
///
/// @param groupSize attempts at each task
/// @param maxTurns the most turns of the policy
/// @param maxTokens the most tokens of a turn
/// @param temperature of the policy, for sampler and trainer alike, 0 to 2: 0 is greedy, above 1
///   attempts differ more
/// @param timeout how long an environment may take to start or to answer a turn
/// @param retries how often an attempt is begun anew whose environment failed or took too long
public record RolloutConfig(
    int groupSize, int maxTurns, int maxTokens, double temperature, Duration timeout, int retries) {
  public RolloutConfig {
    if (groupSize < 1) throw new IllegalArgumentException("a group needs at least one attempt");
    if (maxTurns < 1) throw new IllegalArgumentException("an attempt needs at least one turn");
    if (maxTokens < 1) throw new IllegalArgumentException("a turn needs at least one token");
    if (!(temperature >= 0 && temperature <= Sampling.HOTTEST)) {
      throw new IllegalArgumentException("a temperature is between 0 and 2, not " + temperature);
    }
    if (timeout.isNegative() || timeout.isZero()) {
      throw new IllegalArgumentException("a time-out must be positive, not " + timeout);
    }
    if (retries < 0) throw new IllegalArgumentException("retries cannot be negative: " + retries);
  }

  /// The same, if its attempts can be learnt from.
  ///
  /// @throws IllegalArgumentException if they are greedy
  public RolloutConfig sampled() {
    if (temperature > 0) return this;
    throw new IllegalArgumentException(
        "at a temperature of 0 attempts are all the same and the trainer divides by it:"
            + " it must be above 0 and at most 2");
  }

  /// One greedy attempt a task, to evaluate.
  public RolloutConfig greedy() {
    return new RolloutConfig(1, maxTurns, maxTokens, 0, timeout, retries);
  }
}
