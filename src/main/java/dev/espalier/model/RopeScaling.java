package dev.espalier.model;

/// How rotary frequencies are stretched for contexts longer than those of pre-training.
public sealed interface RopeScaling {
  /// Not at all.
  record None() implements RopeScaling {}

  /// All frequencies divided by the factor.
  record Linear(double factor) implements RopeScaling {}

  /// Llama 3.1: low frequencies divided by the factor, high ones kept, a ramp between.
  record Llama3(double factor, double lowFrequency, double highFrequency, int originalContext)
      implements RopeScaling {}

  /// The frequency to use in place of the unscaled one, in radians a position.
  default double scale(double frequency) {
    return switch (this) {
      case None() -> frequency;
      case Linear(var factor) -> frequency / factor;
      case Llama3(var factor, var low, var high, var original) -> {
        double wavelength = 2 * Math.PI / frequency;
        if (wavelength < original / high) yield frequency;
        if (wavelength > original / low) yield frequency / factor;
        double smooth = (original / wavelength - low) / (high - low);
        yield (1 - smooth) * frequency / factor + smooth * frequency;
      }
    };
  }
}
