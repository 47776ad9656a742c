package dev.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.model.Lora.Site;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is in the file, read back number by number; llama.cpp itself reads one in
/// `bench/interop/llamacpp`.
final class GgufTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

  @TempDir private Path folder = Path.of("");

  /// @param numbers by row
  private record Read(int rows, int columns, float[] numbers) {
    float at(int row, int column) {
      return numbers[row * columns + column];
    }
  }

  private final Map<String, Object> values = new HashMap<>();
  private final Map<String, Read> tensors = new HashMap<>();

  @ParameterizedTest
  @CsvSource({
    "qwen3-tiny, lora-all-linear, qwen3",
    "qwen2-tiny, lora-biased, qwen2",
    "llama-tiny, lora-patterns, llama",
    "llama-tiny, lora-head, llama"
  })
  void everyLayerIsThereWithItsScale(String model, String adapter, String architecture) {
    var base = FIXTURES.resolve(model);
    var shape = ModelShape.read(base);
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var lora = Peft.load(base.resolve(adapter), shape)) {
                var file = folder.resolve("adapter.gguf");
                Gguf.writeAdapter(file, lora, shape);
                read(file);
                assertThat(tensors).hasSize(2 * lora.sites().size());
                lora.sites().forEach((layer, site) -> check(layer, site, shape));
              }
            });
    assertThat(values)
        .containsEntry("general.architecture", architecture)
        .containsEntry("general.type", "adapter")
        .containsEntry("adapter.type", "lora");
  }

  private void check(String layer, Site site, ModelShape shape) {
    var name = name(layer);
    var a = tensors.get(name + ".weight.lora_a");
    var b = tensors.get(name + ".weight.lora_b");
    assertThat(a).as(name).isNotNull();
    assertThat(b).as(name).isNotNull();
    assertThat(a.rows()).isEqualTo(site.rank()).isEqualTo(b.columns());
    float scale =
        (float) Objects.requireNonNull(values.get("adapter.lora.alpha"))
            / site.rank(); // as llama.cpp has it
    boolean turned = shape.family().equals("llama") && name.matches(".*attn_[qk]");
    for (int rank = 0; rank < site.rank(); rank++) {
      for (int in = 0; in < a.columns(); in++) {
        assertThat(a.at(rank, in)).isEqualTo(number(site.a(), rank, in));
      }
      for (int out = 0; out < b.rows(); out++) {
        int from = turned ? half(out, shape.headDim()) : out;
        assertThat(scale * b.at(out, rank))
            .isCloseTo((float) site.scale() * number(site.b(), from, rank), within(1e-6f));
      }
    }
  }

  /// The row of Hugging Face's that is a row of llama.cpp's, where each number of a head's first
  /// half lies beside that of its second.
  private static int half(int row, int headDim) {
    int inHead = row % headDim;
    return row - inHead + inHead % 2 * (headDim / 2) + inHead / 2;
  }

  private static float number(Tensor tensor, int row, int column) {
    return tensor.select(0, row).select(0, column).item_float();
  }

  private static String name(String layer) {
    if (layer.equals("lm_head")) return "output";
    var parts = layer.split("\\.");
    var kind =
        switch (parts[4]) {
          case "q_proj" -> "attn_q";
          case "k_proj" -> "attn_k";
          case "v_proj" -> "attn_v";
          case "o_proj" -> "attn_output";
          case "gate_proj" -> "ffn_gate";
          case "up_proj" -> "ffn_up";
          case "down_proj" -> "ffn_down";
          default -> throw new AssertionError(layer);
        };
    return "blk." + parts[2] + "." + kind;
  }

  private void read(Path file) {
    ByteBuffer in;
    try {
      in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    assertThat(in.getInt()).isEqualTo(0x46554747); // GGUF
    assertThat(in.getInt()).isEqualTo(3);
    long count = in.getLong();
    long pairs = in.getLong();
    for (int i = 0; i < pairs; i++) {
      var key = text(in);
      values.put(key, in.getInt() == 8 ? text(in) : (Object) in.getFloat());
    }
    var places = new HashMap<String, Long>();
    var sizes = new HashMap<String, int[]>();
    for (int i = 0; i < count; i++) {
      var name = text(in);
      assertThat(in.getInt()).isEqualTo(2);
      int columns = (int) in.getLong();
      sizes.put(name, new int[] {(int) in.getLong(), columns});
      assertThat(in.getInt()).isZero(); // float32
      places.put(name, in.getLong());
    }
    int data = Math.ceilDiv(in.position(), 32) * 32;
    sizes.forEach((name, size) -> {
      long place = Objects.requireNonNull(places.get(name));
      assertThat(place % 32).isZero();
      var numbers = new float[size[0] * size[1]];
      in.position(data + (int) place);
      in.asFloatBuffer().get(numbers);
      tensors.put(name, new Read(size[0], size[1], numbers));
    });
    assertThat(in.capacity() % 32).isZero();
  }

  private static String text(ByteBuffer in) {
    var bytes = new byte[(int) in.getLong()];
    in.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
