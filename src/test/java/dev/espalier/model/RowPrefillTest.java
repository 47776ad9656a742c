package dev.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.chat.Json;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.StreamSupport;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// Whole sequences in one pass, against logits of Hugging Face transformers.
final class RowPrefillTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

  /// In bfloat16 such logits, of up to 9.7, are a few tenths off; a wrong one is off by whole
  /// numbers.
  @ParameterizedTest
  @CsvSource({
    "qwen3-tiny,F32,2e-4",
    "qwen2-tiny,F32,2e-4",
    "llama-tiny,F32,2e-4",
    "qwen3-tiny-bf16,F32,2e-4",
    "qwen3-tiny,BF16,0.35",
    "qwen2-tiny,BF16,0.35",
    "llama-tiny,BF16,0.35"
  })
  void logitsEqualThoseOfTransformers(String name, Dtype dtype, float most) throws Exception {
    var folder = FIXTURES.resolve(name);
    var sequences = Json.parse(Files.readString(folder.resolve("expected.json"))).path("sequences");
    assertThat(sequences).isNotEmpty();
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              var shape = ModelShape.read(folder);
              try (var weights = Weights.load(folder, shape, dtype);
                  var _ = new Scope();
                  var _ = new NoGradGuard()) {
                var decoder = new Decoder(shape);
                for (var sequence : sequences) check(decoder, weights, sequence, most);
                decoder.layOut(weights); // few tokens are multiplied otherwise then
                for (var sequence : sequences) check(decoder, weights, sequence, most);
              }
              return null;
            });
  }

  /// Asks for every second position, from the last one on.
  private static void check(Decoder decoder, Weights weights, JsonNode sequence, float most) {
    var tokens =
        StreamSupport.stream(sequence.path("tokens").spliterator(), false)
            .mapToLong(JsonNode::asLong)
            .toArray();
    int length = tokens.length;
    var wanted = IntStream.range(0, (length + 1) / 2).map(i -> length - 1 - 2 * i).toArray();
    var adapters = PackedAdapters.of(new int[] {length}, Collections.singletonList(null));
    var pass =
        new RowPrefill(decoder, weights, adapters, new Alone(length), row(positions(length)));
    var hidden = pass.hidden(row(tokens), wanted);
    var logits = decoder.logits(weights, hidden, adapters).squeeze(0);
    for (int i = 0; i < wanted.length; i++) {
      var expected = sequence.path("logits").get(wanted[i]);
      for (int v = 0; v < expected.size(); v++) {
        assertThat(logits.select(0, i).select(0, v).item_float())
            .as("position %d, token %d", wanted[i], v)
            .isCloseTo((float) expected.get(v).asDouble(), within(most));
      }
    }
  }

  private static long[] positions(int length) {
    return LongStream.range(0, length).toArray();
  }

  private static Tensor row(long[] numbers) {
    return torch.tensor(numbers, new TensorOptions(ScalarType.Long)).view(1, -1);
  }

  /// One sequence that goes on from nothing, and that nobody goes on from.
  private record Alone(int tokens) implements KeptAttention {
    @Override
    public List<Piece> pieces() {
      return List.of(new Piece(tokens, List.of()));
    }

    @Override
    public void keep(int layer, Tensor keys, Tensor values) {}

    @Override
    public List<Kept> before(int layer, int piece) {
      return List.of();
    }

    @Override
    public Tensor attend(int layer, Tensor query, Tensor key, Tensor value) {
      return PackedAttention.causal().attend(layer, query, key, value);
    }
  }
}
