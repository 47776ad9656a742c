package dev.espalier.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ProcessorTest {
  @Test
  void knowsWhoMultipliesBfloat16Faster() {
    assertThat(fast("AuthenticAMD", "avx512f avx512_bf16 vpclmulqdq")).isTrue(); // Zen 4 and 5
    assertThat(fast("GenuineIntel", "avx512f avx512_bf16 amx_bf16 amx_tile")).isTrue();
    assertThat(fast("GenuineIntel", "avx512f avx512_bf16 avx512_fp16")).isFalse();
    assertThat(fast("AuthenticAMD", "avx2 fma")).isFalse(); // Zen 3
    assertThat(Processor.parse(List.of()).multipliesBfloat16Faster()).isFalse();
  }

  @Test
  void readsItsOwn() {
    var here = Processor.here();
    assertThat(here.vendor()).isNotEmpty();
    assertThat(here.flags()).contains("sse2");
  }

  private static boolean fast(String vendor, String flags) {
    return Processor.parse(
            List.of("processor\t: 0", "vendor_id\t: " + vendor, "flags\t\t: fpu " + flags))
        .multipliesBfloat16Faster();
  }
}
