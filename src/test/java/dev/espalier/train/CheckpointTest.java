package dev.espalier.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a kill in the middle of a save leaves.
final class CheckpointTest {
  @TempDir private Path run = Path.of("");

  private void save(int step, String note) {
    Checkpoint.save(run, step, new LinkedHashMap<>(), Json.object().put("note", note), 1);
  }

  private String latest() {
    var checkpoint = Objects.requireNonNull(Checkpoint.latest(run));
    return checkpoint.folder().getFileName() + " " + checkpoint.progress().path("note").asString();
  }

  @Test
  void aSaveOfTheSameStepThatIsKilledLeavesTheOneBefore() throws IOException {
    save(3, "first");
    Files.move(run.resolve("step-3"), run.resolve("step-3.old"));
    Files.createDirectories(run.resolve("step-3.part"));
    assertThat(latest()).isEqualTo("step-3 first");
    save(3, "second");
    assertThat(latest()).isEqualTo("step-3 second");
    assertThat(run).isDirectoryNotContaining("glob:**.{old,part}");
  }

  @Test
  void theOldOneGoesOnceTheNewOneIsThere() throws IOException {
    save(3, "new");
    Files.createDirectories(run.resolve("step-3.old"));
    assertThat(latest()).isEqualTo("step-3 new");
    assertThat(run).isDirectoryNotContaining("glob:**.old");
  }
}
