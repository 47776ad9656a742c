package dev.espalier.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

/// The critic's loss against numbers worked out by hand.
final class ValueLossTest {
  private static final float[] VALUES = {1.1f, 0.5f, 1.5f, -0.5f};
  private static final float[] BEFORE = {1, 1, 1, 0};
  private static final float[] RETURNS = {2, 2, 0, -1};
  private static final float[] WEIGHTS = {1, 1, 1, 0.5f};

  /// The loss, and then its gradient.
  private static float[] computed(ValueLoss loss) {
    return Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              var values = torch.tensor(VALUES, Dtype.F32.options());
              values.set_requires_grad(true);
              var sum = loss.of(values, BEFORE, RETURNS, WEIGHTS);
              sum.backward();
              var out = new float[VALUES.length + 1];
              values.grad().data_ptr_float().get(out, 1, VALUES.length);
              out[0] = sum.item_float();
              return out;
            });
  }

  /// With 0.2, the values may be seen as 1.1, 0.8, 1.2 and −0.2. The second moved away from its
  /// return and the third, too: what they are counts, with its gradient. The last moved towards its
  /// return, and further than it may: what it is held at counts, and no gradient.
  @Test
  void valuesThatMovedTooFarTowardsTheirReturnAreHeld() {
    double sum = 0.5 * (0.9 * 0.9 + 1.5 * 1.5 + 1.5 * 1.5 + 0.5 * 0.8 * 0.8);
    var computed = computed(new ValueLoss(0.2));
    assertThat((double) computed[0]).isCloseTo(sum, within(1e-6));
    assertThat(computed[1]).isCloseTo(-0.9f, within(1e-6f));
    assertThat(computed[2]).isCloseTo(-1.5f, within(1e-6f));
    assertThat(computed[3]).isCloseTo(1.5f, within(1e-6f));
    assertThat(computed[4]).isZero();
  }

  @Test
  void withoutAReachedBoundItIsHalfTheSquaredError() {
    double sum = 0.5 * (0.9 * 0.9 + 1.5 * 1.5 + 1.5 * 1.5 + 0.5 * 0.5 * 0.5);
    var computed = computed(new ValueLoss(10));
    assertThat((double) computed[0]).isCloseTo(sum, within(1e-6));
    assertThat(computed[4]).isCloseTo(0.25f, within(1e-6f));
  }

  @Test
  void aClipOfNothingIsRefused() {
    assertThatThrownBy(() -> new ValueLoss(0)).isInstanceOf(IllegalArgumentException.class);
  }
}
