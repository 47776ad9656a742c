package dev.espalier.rl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.train.PolicyLoss;
import dev.espalier.train.PolicyLoss.Clip;
import dev.espalier.train.PolicyLoss.Kl;
import dev.espalier.train.PolicyLoss.Ratio;
import org.junit.jupiter.api.Test;

final class DivergenceTest {
  private static double outside(Ratio ratio) {
    var loss = new PolicyLoss(ratio, new Clip.Range(0.2, 0.2), Kl.K3, 0);
    float[][] now = {{-1, -2, -1}, {-1}, {-0.5f, -0.5f}};
    float[][] sampled = {{-2, -1, -1}, {-1}, {-1, -1}};
    return Divergence.outside(now, sampled, loss);
  }

  /// Of the first attempt's tokens one is likelier and one less likely, which together is no
  /// change; the last's are both likelier.
  @Test
  void aTokenIsOutsideByTheRatioThatIsClipped() {
    assertThat(outside(Ratio.TOKEN)).isEqualTo(4.0 / 6);
    assertThat(outside(Ratio.SEQUENCE)).isEqualTo(2.0 / 6);
  }
}
