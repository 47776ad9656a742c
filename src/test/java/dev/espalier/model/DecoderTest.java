package dev.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.chat.Json;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// The forward pass against logits of Hugging Face transformers (src/test/python/make_fixtures.py).
final class DecoderTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

  @ParameterizedTest
  @ValueSource(strings = {"qwen3-tiny", "qwen2-tiny", "llama-tiny", "qwen3-tiny-bf16"})
  void logitsEqualThoseOfTransformers(String name) throws IOException {
    var folder = FIXTURES.resolve(name);
    equal(folder, folder.resolve("expected.json"));
  }

  /// Compares a model's logits.
  ///
  /// @param expected JSON of sequences with theirs
  static void equal(Path folder, Path expected) throws IOException {
    var sequences = Json.parse(Files.readString(expected)).path("sequences");
    assertThat(sequences.size()).isPositive();
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              var shape = ModelShape.read(folder);
              try (var weights = Weights.load(folder, shape, Dtype.F32);
                  var noGrad = new NoGradGuard()) {
                var decoder = new Decoder(shape);
                for (var sequence : sequences) {
                  check(decoder, weights, sequence.path("tokens"), sequence.path("logits"));
                }
              }
            });
  }

  private static void check(Decoder decoder, Weights weights, JsonNode ids, JsonNode expected) {
    var tokens = new long[ids.size()];
    for (int i = 0; i < tokens.length; i++) tokens[i] = ids.get(i).asLong();
    var whole = new TensorOptions(ScalarType.Long);
    var row = torch.tensor(tokens, whole).view(1, -1);
    var positions = torch.arange(new Scalar(tokens.length), whole).view(1, -1);
    var hidden = decoder.hidden(weights, row, positions, PackedAttention.causal(), Adapters.NONE);
    Tensor logits = decoder.logits(weights, hidden, Adapters.NONE);
    for (int t = 0; t < tokens.length; t++) {
      for (int v = 0; v < decoder.shape().vocabulary(); v++) {
        float value = logits.select(0, 0).select(0, t).select(0, v).item_float();
        assertThat(value)
            .as("position %d, token %d", t, v)
            .isCloseTo((float) expected.get(t).get(v).asDouble(), within(2e-4f));
      }
    }
  }
}
