package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// `kill -9` of `espalier distil` at random steps: started again, it ends with the same bits.
///
/// `./espalier test -Dtiers=crash -DskippedTiers=none -Dtest=DistilCrashTest`
@Tag("crash")
final class DistilCrashTest {
  private static final int KILLS = 6;

  @TempDir private Path folder = Path.of("");

  @Test
  @Timeout(900)
  void aKilledRunEndsWithTheSameBits() throws Exception {
    var examples = folder.resolve("examples.jsonl");
    Files.write(examples, examples());
    assertThat(distil(examples, "whole", Integer.MAX_VALUE)).isZero();
    long seed = new Random().nextLong();
    var random = new Random(seed);
    for (int kill = 0; kill < KILLS; kill++) {
      assertThat(distil(examples, "killed", 1 + random.nextInt(6))).isEqualTo(137);
    }
    assertThat(distil(examples, "killed", Integer.MAX_VALUE)).isZero();
    assertThat(weights("killed")).as("seed %d", seed).isEqualTo(weights("whole"));
  }

  private byte[] weights(String name) throws IOException {
    return Files.readAllBytes(
        folder.resolve(name).resolve("runs/it/best/adapter_model.safetensors"));
  }

  /// Runs the command and returns its exit status; kills it after so many steps.
  private int distil(Path examples, String data, int steps) throws Exception {
    return Killed.after(
        steps,
        folder.resolve("log"),
        List.of(
            "distil",
            "--from=" + examples,
            "--name=it",
            "--epochs=20",
            "--batch=4",
            "--prune=none",
            "--data=" + folder.resolve(data)));
  }

  /// Twenty short conversations, which make four steps an epoch with a validation set.
  private static List<String> examples() {
    var out = new ArrayList<String>();
    for (int i = 0; i < 20; i++) {
      var line = Json.object();
      var messages = line.putArray("messages");
      messages.addObject().put("role", "user").put("content", "What is number " + i + "?");
      messages.addObject().put("role", "assistant").put("content", "It is the " + i + "th.");
      out.add(Json.write(line));
    }
    return out;
  }
}
