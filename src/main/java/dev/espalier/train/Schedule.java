package dev.espalier.train;

/// The learning rate over a run: linear warm-up, then level, then linear decay to a tenth.
///
/// @param peak the highest learning rate
/// @param warmUp steps to reach it
/// @param decayFrom the step at which the decay starts
/// @param steps the run's length
public record Schedule(double peak, int warmUp, int decayFrom, int steps) {
  private static final double FLOOR = 0.1;

  public Schedule {
    if (!(peak > 0)) throw new IllegalArgumentException("the learning rate must be positive");
    if (steps < 1) throw new IllegalArgumentException("a run needs at least one step");
  }

  /// The learning rate of a step, counted from 0.
  public double at(int step) {
    if (step < warmUp) return peak * (step + 1) / warmUp;
    if (step < decayFrom) return peak;
    double done = (double) (step - decayFrom) / Math.max(1, steps - decayFrom);
    return peak * (1 - (1 - FLOOR) * Math.min(1, done));
  }
}
