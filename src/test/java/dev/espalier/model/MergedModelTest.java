package dev.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.model.Lora.Site;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Merged models without their adapters, against transformers with PEFT.
final class MergedModelTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

  @TempDir private Path folder = Path.of("");

  @ParameterizedTest
  @CsvSource({
    "qwen3-tiny, lora-all-linear",
    "qwen2-tiny, lora-biased",
    "llama-tiny, lora-patterns",
    "llama-tiny, lora-rslora",
    "llama-tiny, lora-head"
  })
  void aMergedModelSaysWhatTheAdapterSays(String model, String adapter) throws IOException {
    var base = FIXTURES.resolve(model);
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var lora = Peft.load(base.resolve(adapter), ModelShape.read(base))) {
                MergedModel.write(base, lora, folder);
              }
            });
    DecoderTest.equal(folder, base.resolve(adapter).resolve("expected.json"));
    assertThat(folder.resolve("generation_config.json"))
        .hasSameBinaryContentAs(base.resolve("generation_config.json"));
  }

  @Test
  void aHeadThatIsTheEmbeddingTooIsRefused() {
    var base = FIXTURES.resolve("qwen3-tiny");
    var shape = ModelShape.read(base);
    assertThat(shape.tiedHead()).isTrue();
    var a = torch.zeros(new long[] {2, shape.width()}, Dtype.F32.options());
    var b = torch.zeros(new long[] {shape.vocabulary(), 2}, Dtype.F32.options());
    try (var lora = Lora.of(new LinkedHashMap<>(Map.of("lm_head", new Site(a, b, 1))))) {
      assertThatThrownBy(() -> MergedModel.write(base, lora, folder))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("head is its embedding");
    }
    assertThat(folder).isEmptyDirectory();
  }
}
