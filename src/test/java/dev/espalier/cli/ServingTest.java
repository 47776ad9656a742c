package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.engine.TinyModel;
import dev.espalier.model.ModelException;
import dev.espalier.store.Adapter;
import dev.espalier.store.Durability;
import dev.espalier.store.Store;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServingTest {
  @TempDir private Path dir;

  private static Adapter adapter(String name, String base) {
    var path = TinyModel.FOLDER.resolve("lora-all-linear").toString();
    return new Adapter(name, path, base, Instant.EPOCH, null, null);
  }

  @Test
  void anAdapterOfAnotherBaseOrWithoutItsFolderIsNotServedAndSaysWhy() {
    try (var store = Store.open(dir, Durability.PROCESS);
        var serving = new Serving(TinyModel.load(dir), store)) {
      store.put(adapter("mine", TinyModel.FOLDER.toString()));
      store.put(adapter("foreign", "models/other"));
      var folder = dir.resolve("deleted").toString();
      var base = TinyModel.FOLDER.toString();
      store.put(new Adapter("deleted", folder, base, Instant.EPOCH, null, null));
      assertThat(serving.names()).containsExactly("qwen3-tiny", "mine");
      assertThat(serving.find("mine")).isNotNull();
      assertThat(serving.whyNot("mine")).isNull();
      assertThat(serving.find("foreign")).isNull();
      assertThat(serving.whyNot("foreign"))
          .contains("belongs to the base model models/other", "--model models/other");
      assertThat(serving.find("deleted")).isNull();
      assertThat(serving.whyNot("deleted"))
          .contains(folder)
          .endsWith("train it again or restore its folder");
      assertThat(serving.whyNot("nobody")).isNull();
      assertThatThrownBy(() -> serving.load("foreign")).isInstanceOf(ModelException.class);
    }
  }
}
