package dev.espalier.rl;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class GuardsTest {
  @Test
  void oneStepFarFromTheStartStopsNothingAndThreeDo() {
    var guards = new Guards();
    assertThat(guards.collapsed(0.8, 0.1, 7)).isNull();
    assertThat(guards.collapsed(0.8, 0.1, 0.1)).isNull();
    assertThat(guards.collapsed(0.8, 0.1, 6)).isNull();
    assertThat(guards.collapsed(0.8, 0.1, 8)).isNull();
    assertThat(guards.collapsed(0.8, 0.1, 9)).contains("6.0 nats a token");
  }

  @Test
  void stopsWhenTheRewardHasHalved() {
    var guards = new Guards();
    for (int i = 0; i < 5; i++) assertThat(guards.collapsed(0.8, 0.1, 0)).isNull();
    String why = null;
    int steps = 0;
    while (why == null && steps < 10) {
      why = guards.collapsed(0.2, 0.1, 0);
      steps++;
    }
    assertThat(why).contains("fell from 0.800");
    assertThat(steps).isEqualTo(4);
  }

  @Test
  void aRunThatIsTakenUpStopsAtTheSameStep() {
    var guards = new Guards();
    guards.collapsed(0.8, 0.1, 6);
    guards.collapsed(0.8, 0.1, 8);
    var resumed = new Guards();
    resumed.resume(guards.rewards(), guards.divergences());
    assertThat(resumed.collapsed(0.8, 0.1, 9)).isNotNull();
  }
}
