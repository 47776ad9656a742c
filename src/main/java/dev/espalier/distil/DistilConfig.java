package dev.espalier.distil;

/// The dials of a distillation.
///
/// @param rank the adapter's rank; 0 trains every weight of the model instead
/// @param alpha the adapter's scale is alpha / rank
/// @param learningRate the peak
/// @param epochs passes over the examples
/// @param batch sequences of a step; LoRA falls behind full fine-tuning above about 32
/// @param seed of the adapter's start and the order of the examples
public record DistilConfig(
    int rank, double alpha, double learningRate, int epochs, int batch, long seed) {
  public DistilConfig {
    if (rank < 0) throw new IllegalArgumentException("a rank cannot be negative: " + rank);
    if (!(alpha > 0)) throw new IllegalArgumentException("alpha must be positive: " + alpha);
    if (!(learningRate > 0)) {
      throw new IllegalArgumentException("the learning rate must be positive: " + learningRate);
    }
    if (epochs < 1) throw new IllegalArgumentException("at least one epoch is needed");
    if (batch < 1) throw new IllegalArgumentException("a batch needs at least one sequence");
  }

  /// The learning rate to start from for a model of that width: smaller models bear larger ones.
  ///
  /// "LoRA Without Regret" fitted 5e-4 · (2000 / width)^0.78 for LoRA and a tenth of it for full
  /// fine-tuning.
  public static double learningRate(int width, boolean lora) {
    return (lora ? 5e-4 : 5e-5) * Math.pow(2000.0 / width, 0.78);
  }

  /// The same with so many passes.
  public DistilConfig with(int epochs) {
    return new DistilConfig(rank, alpha, learningRate, epochs, batch, seed);
  }

  /// Whether every weight is trained.
  public boolean full() {
    return rank == 0;
  }
}
