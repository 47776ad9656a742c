package dev.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A sound sharded model folder of which one thing is then broken.
final class ModelFolderHostileTest {
  private static final Path SOUND = Path.of("src/test/resources/fixtures/llama-tiny");
  private static final String INDEX = "model.safetensors.index.json";
  private static final String FIRST = "model-00001-of-00002.safetensors";
  private static final String SECOND = "model-00002-of-00002.safetensors";

  @TempDir private Path folder;

  @BeforeEach
  void copy() throws IOException {
    try (var files = Files.list(SOUND)) {
      for (var file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    }
  }

  @Test
  void theCopyIsSound() {
    assertThatCode(this::load).doesNotThrowAnyException();
  }

  @Test
  void aMissingShardIsNamed() throws IOException {
    Files.delete(folder.resolve(SECOND));
    refused(SECOND);
  }

  @Test
  void aShardOfHalfItsLengthIsNamed() throws IOException {
    var bytes = Files.readAllBytes(SOUND.resolve(SECOND));
    Files.write(folder.resolve(SECOND), java.util.Arrays.copyOf(bytes, bytes.length / 2));
    refused(SECOND);
  }

  @Test
  void oneShardInThePlaceOfAnotherIsRefused() throws IOException {
    Files.write(folder.resolve(SECOND), Files.readAllBytes(SOUND.resolve(FIRST)));
    refused("two shards");
  }

  @Test
  void anIndexThatIsNotOneIsRefused() throws IOException {
    for (var text : new String[] {"", "{", "[]", "{}", "{\"weight_map\":[]}"}) {
      Files.writeString(folder.resolve(INDEX), text);
      refused(INDEX);
    }
  }

  @Test
  void anIndexThatNamesNoFileIsRefused() throws IOException {
    Files.writeString(folder.resolve(INDEX), "{\"weight_map\":{\"a\":7}}");
    refused(INDEX);
  }

  /// A downloaded folder has no business with files outside it.
  @Test
  void anIndexThatLeavesItsFolderIsRefused() throws IOException {
    var outside = Files.createTempDirectory(folder, "outside").resolve(SECOND);
    Files.move(folder.resolve(SECOND), outside);
    var inside = Files.createDirectory(folder.resolve("model"));
    for (var name : new String[] {INDEX, FIRST, "config.json"}) {
      Files.move(folder.resolve(name), inside.resolve(name));
    }
    var climbing = "../" + folder.relativize(outside);
    for (var path : new String[] {climbing, outside.toAbsolutePath().toString()}) {
      var index = Files.readString(SOUND.resolve(INDEX)).replace(SECOND, path);
      Files.writeString(inside.resolve(INDEX), index);
      assertThatThrownBy(() -> load(inside))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining(INDEX);
    }
  }

  @Test
  void aConfigOfAnotherShapeIsRefused() throws IOException {
    edit(config -> config.replace("\"intermediate_size\": 40", "\"intermediate_size\": 41"));
    refused("_proj.weight");
  }

  @Test
  void aConfigOfMoreLayersIsRefused() throws IOException {
    edit(config -> config.replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"));
    refused("model.layers.2");
  }

  @Test
  void aConfigOfFewerLayersIsRefused() throws IOException {
    edit(config -> config.replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1"));
    refused("model.layers.1");
  }

  private void edit(UnaryOperator<String> change) throws IOException {
    var config = Files.readString(SOUND.resolve("config.json"));
    var changed = change.apply(config);
    assertThat(changed).isNotEqualTo(config);
    Files.writeString(folder.resolve("config.json"), changed);
  }

  private void refused(String says) {
    assertThatThrownBy(this::load).isInstanceOf(ModelException.class).hasMessageContaining(says);
  }

  private void load() {
    load(folder);
  }

  private static void load(Path folder) {
    Device.cpu()
        .run(Urgency.TRAIN, () -> Weights.load(folder, ModelShape.read(folder), Dtype.F32).close());
  }
}
