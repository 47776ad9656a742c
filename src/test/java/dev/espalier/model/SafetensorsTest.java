package dev.espalier.model;

import static dev.espalier.model.SafetensorsFile.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files that look odd but are sound.
final class SafetensorsTest {
  @TempDir private Path folder;

  @Test
  void valuesAreReadAsTheyLie() {
    var open = Safetensors.open(SafetensorsFile.vector(1.5f, -0f, Float.MIN_VALUE).in(folder));
    assertThat(floats(open, "w")).containsExactly(1.5f, -0f, Float.MIN_VALUE);
  }

  /// What is wrong with such weights is for the one who computes with them to say.
  @Test
  void notANumberAndInfinityAreWeightsToo() {
    var open =
        Safetensors.open(SafetensorsFile.vector(Float.NaN, Float.NEGATIVE_INFINITY, 1).in(folder));
    assertThat(floats(open, "w")).containsExactly(Float.NaN, Float.NEGATIVE_INFINITY, 1);
  }

  /// A header of odd length leaves every float32 at an odd address.
  @Test
  void dataNeedNotBeAligned() {
    for (int pad = 0; pad < 8; pad++) {
      var header = "{\"w\":" + entry("F32", "[2]", 0, 8) + "}" + " ".repeat(pad);
      var data = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putFloat(3).putFloat(-7);
      var file = SafetensorsFile.of(header, 0).withData(data.array()).in(folder);
      assertThat(floats(Safetensors.open(file), "w")).containsExactly(3, -7);
    }
  }

  @Test
  void tensorsNeedNotStandInTheOrderOfTheirData() {
    var header =
        "{\"late\":%s,\"__metadata__\":{\"format\":\"pt\"},\"early\":%s}"
            .formatted(entry("F32", "[1]", 4, 8), entry("F32", "[1,1]", 0, 4));
    var data = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putFloat(1).putFloat(2);
    var open = Safetensors.open(SafetensorsFile.of(header, 0).withData(data.array()).in(folder));
    assertThat(open.names()).containsExactly("late", "early");
    assertThat(open.metadata()).containsEntry("format", "pt");
    assertThat(floats(open, "late")).containsExactly(2);
    assertThat(floats(open, "early")).containsExactly(1);
    assertThat(open.shape("early")).containsExactly(1, 1);
  }

  @Test
  void sixteenBitNumbersAreKnown() {
    var header =
        "{\"half\":%s,\"brain\":%s}"
            .formatted(entry("F16", "[1]", 0, 2), entry("BF16", "[1]", 2, 4));
    var data = new byte[] {0x00, (byte) 0xc2, 0x40, (byte) 0xc0}; // -3 in both, little-endian
    var open = Safetensors.open(SafetensorsFile.of(header, 0).withData(data).in(folder));
    assertThat(open.dtype("half")).isEqualTo(Dtype.F16);
    assertThat(open.dtype("brain")).isEqualTo(Dtype.BF16);
    assertThat(floats(open, "half")).containsExactly(-3);
    assertThat(floats(open, "brain")).containsExactly(-3);
  }

  @Test
  void aScalarAndAnEmptyTensorHaveTheirShapes() {
    var header =
        "{\"scalar\":%s,\"empty\":%s}"
            .formatted(entry("F32", "[]", 0, 4), entry("F32", "[0,4]", 4, 4));
    var open = Safetensors.open(SafetensorsFile.of(header, 4).in(folder));
    assertThat(open.shape("scalar")).isEmpty();
    assertThat(floats(open, "scalar")).containsExactly(0);
    assertThat(open.shape("empty")).containsExactly(0, 4);
    assertThat(floats(open, "empty")).isEmpty();
  }

  @Test
  void aFileWithoutTensorsIsSound() {
    assertThat(Safetensors.open(SafetensorsFile.of("{}", 0).in(folder)).names()).isEmpty();
  }

  @Test
  void aTensorThatIsNotThereIsNamed() {
    var open = Safetensors.open(SafetensorsFile.vector(1).in(folder));
    assertThatThrownBy(() -> open.tensor("lm_head.weight"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("lm_head.weight");
  }

  private static float[] floats(Safetensors file, String name) {
    var out = new float[1][];
    Device.cpu().run(Urgency.TRAIN, () -> out[0] = numbers(file.tensor(name)));
    return out[0];
  }

  private static float[] numbers(Tensor tensor) {
    var flat = tensor.to(ScalarType.Float).contiguous().view(-1);
    var values = new float[(int) flat.numel()];
    for (int i = 0; i < values.length; i++) values[i] = flat.select(0, i).item_float();
    return values;
  }
}
