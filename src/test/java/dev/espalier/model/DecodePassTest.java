package dev.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.chat.Json;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.KeyValues;
import dev.espalier.tensor.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// Token after token, for several sequences at once, against logits of Hugging Face transformers.
final class DecodePassTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
  private static final int SHARED = 3; // positions that lie elsewhere than the others

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
    var sequences = new ArrayList<JsonNode>();
    Json.parse(Files.readString(folder.resolve("expected.json")))
        .path("sequences")
        .forEach(sequences::add);
    assertThat(sequences).isNotEmpty();
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              var shape = ModelShape.read(folder);
              try (var weights = Weights.load(folder, shape, dtype);
                  var _ = new Scope();
                  var _ = new NoGradGuard();
                  var pass = new DecodePass(new Decoder(shape), weights, dtype)) {
                check(pass, new Lying(shape, dtype, sequences.size()), sequences, most);
              }
              return null;
            });
  }

  /// The longer sequences go on when the shorter ones have ended.
  private static void check(DecodePass pass, Lying past, List<JsonNode> sequences, float most) {
    int longest = sequences.stream().mapToInt(it -> it.path("tokens").size()).max().orElseThrow();
    for (int t = 0; t < longest; t++) {
      past.step(t, sequences);
      int[] rows = past.rows;
      var tokens = new int[rows.length];
      var positions = new int[rows.length];
      for (int i = 0; i < rows.length; i++) {
        tokens[i] = sequences.get(rows[i]).path("tokens").get(t).asInt();
        positions[i] = t;
      }
      var logits = pass.logits(tokens, positions, past, new MixedAdapters(List.of()));
      for (int i = 0; i < rows.length; i++) {
        var expected = sequences.get(rows[i]).path("logits").get(t);
        for (int v = 0; v < expected.size(); v++) {
          assertThat(logits.select(0, i).select(0, v).item_float())
              .as("sequence %d, position %d, token %d", rows[i], t, v)
              .isCloseTo((float) expected.get(v).asDouble(), within(most));
        }
      }
    }
  }

  /// Every sequence's keys and values in two places.
  private static final class Lying implements DecodePass.Past {
    private static final int ROOM = 64;

    private final ModelShape shape;
    private final Dtype dtype;
    private final List<Tensor> all =
        new ArrayList<>(); // by sequence and layer: keys, values, twice
    private int[] rows = {};
    private int length;

    Lying(ModelShape shape, Dtype dtype, int sequences) {
      this.shape = shape;
      this.dtype = dtype;
      long[] size = {shape.kvHeads(), ROOM, shape.headDim()};
      for (int i = 0; i < sequences * shape.layers() * 4; i++) {
        all.add(torch.zeros(size, dtype.options()));
      }
    }

    void step(int position, List<JsonNode> sequences) {
      length = position + 1;
      rows =
          IntStream.range(0, sequences.size())
              .filter(it -> sequences.get(it).path("tokens").size() > position)
              .toArray();
    }

    @Override
    public List<KeyValues> of(int layer, int row) {
      int first = (rows[row] * shape.layers() + layer) * 4;
      if (length <= SHARED) return List.of(at(first, length));
      return List.of(at(first, SHARED), at(first + 2, length - SHARED));
    }

    private KeyValues at(int place, int count) {
      return new KeyValues(
          all.get(place).data_ptr().address(),
          all.get(place + 1).data_ptr().address(),
          (long) ROOM * shape.headDim() * dtype.bytes(),
          count);
    }
  }
}
