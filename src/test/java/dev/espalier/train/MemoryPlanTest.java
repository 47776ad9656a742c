package dev.espalier.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.engine.BaseModel;
import dev.espalier.model.Activations;
import dev.espalier.model.ModelShape;
import dev.espalier.tensor.Dtype;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// Activations are recomputed where there is no room for them, and rows stay as they are.
final class MemoryPlanTest {
  private static final ModelShape SHAPE = shape();

  private static ModelShape shape() {
    try (var base = BaseModel.load(Path.of("models/espalier-6m"))) {
      return base.shape();
    }
  }

  private static MemoryPlan plan(boolean full, long available) {
    return MemoryPlan.of(SHAPE, Dtype.F32, 500_000, 1000, full, available);
  }

  @Test
  void recomputesWhatThereIsNoRoomFor() {
    var kept = plan(false, Long.MAX_VALUE);
    assertThat(kept.keeping()).isEqualTo(Activations.KEPT);
    assertThat(plan(false, kept.total())).isEqualTo(kept);
    var recomputed = plan(false, kept.total() - 1);
    assertThat(recomputed.keeping()).isEqualTo(Activations.RECOMPUTED);
    assertThat(recomputed.tokens()).isEqualTo(kept.tokens());
    assertThat(recomputed.activations()).isLessThan(kept.activations() / 2);
  }

  @Test
  void refusesWhatDoesNotFitEither() {
    long least = plan(false, plan(false, Long.MAX_VALUE).total() - 1).total();
    assertThatThrownBy(() -> plan(false, least - 1))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("are free: use shorter examples or a smaller model");
  }

  /// libtorch's own backward pass keeps everything.
  @Test
  void refusesAllWeightsThatDoNotFit() {
    long needed = plan(true, Long.MAX_VALUE).total();
    assertThatThrownBy(() -> plan(true, needed - 1)).isInstanceOf(TrainingException.class);
  }
}
