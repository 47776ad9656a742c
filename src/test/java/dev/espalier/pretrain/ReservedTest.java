package dev.espalier.pretrain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.env.PortAlder;
import org.junit.jupiter.api.Test;

/// The base model must not have seen the demo's world.
class ReservedTest {
  private final Reserved reserved = new Reserved();

  @Test
  void everythingTheWorldReservesIsReserved() {
    for (var word : PortAlder.reserved()) {
      assertThat(reserved.allows("a " + word + ", please")).as(word).isFalse();
    }
    assertThat(PortAlder.reserved()).hasSizeGreaterThan(500).containsAll(reserved.words());
  }

  @Test
  void theDemosCodesAreReservedToo() {
    for (var code : new String[] {"A1", "B12", "H60", "c7"}) {
      assertThat(reserved.allows("number " + code + ".")).as(code).isFalse();
    }
    for (var code : new String[] {"J12", "B012", "B123", "QX-331", "12B"}) {
      assertThat(reserved.allows("number " + code + ".")).as(code).isTrue();
    }
  }

  @Test
  void ordinaryTextIsNotReserved() {
    assertThat(reserved.allows("Book a lesson for Emma Veltra on 2026-05-14, please.")).isTrue();
    assertThat(reserved.allows("Meet me at the harbor")).isFalse();
  }
}
