package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.CompletionJson;
import dev.espalier.chat.Json;
import dev.espalier.env.PortAlder;
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
import tools.jackson.databind.node.ObjectNode;

/// `kill -9` of `espalier rl` at random steps: started again, it ends with the same bits.
///
/// `./espalier test -Dtiers=crash -DskippedTiers=none -Dtest=RlCrashTest`
@Tag("crash")
final class RlCrashTest {
  private static final int KILLS = 4;
  private static final int STEPS = 30;

  @TempDir private Path folder = Path.of("");

  @Test
  @Timeout(900)
  void aKilledRunEndsWithTheSameBits() throws Exception {
    var examples = folder.resolve("examples.jsonl");
    Files.write(examples, lookups());
    long seed = new Random().nextLong();
    var random = new Random(seed);
    for (var data : List.of("whole", "killed")) {
      var distil =
          List.of("distil", "--from", examples.toString(), "--name", "start", "--epochs", "4");
      assertThat(Killed.never(log(), in(data, distil))).isZero();
    }
    assertThat(Killed.never(log(), in("whole", rl()))).isZero();
    for (int kill = 0; kill < KILLS; kill++) {
      assertThat(Killed.after(1 + random.nextInt(6), log(), in("killed", rl()))).isEqualTo(137);
    }
    assertThat(Killed.never(log(), in("killed", rl()))).isZero();
    assertThat(steps("whole")).hasSize(STEPS);
    assertThat(steps("killed")).as("seed %d", seed).isEqualTo(steps("whole"));
    assertThat(weights("killed")).as("seed %d", seed).isEqualTo(weights("whole"));
  }

  private static List<String> rl() {
    return List.of(
        "rl",
        "--adapter=start",
        "--name=it",
        "--steps=" + STEPS,
        "--groups=4",
        "--group-size=4",
        "--max-turns=2",
        "--max-tokens=32",
        "--evaluate-every=3",
        "--held-out=16",
        "--errands=lookup_vessel",
        "--lr=2e-5"); // it must not run out of what it can learn before the last kill
  }

  /// What each step noted of the policy, but for how long it took.
  private List<ObjectNode> steps(String data) throws IOException {
    var steps = new ArrayList<ObjectNode>();
    for (var line : Files.readAllLines(folder.resolve(data).resolve("runs/it/metrics.jsonl"))) {
      var step = (ObjectNode) Json.parse(line);
      if (step.path("event").asString().equals("step")) steps.add(step.without("seconds"));
    }
    return steps;
  }

  private byte[] weights(String data) throws IOException {
    return Files.readAllBytes(
        folder.resolve(data).resolve("runs/it/best/adapter_model.safetensors"));
  }

  private Path log() {
    return folder.resolve("log");
  }

  private List<String> in(String data, List<String> arguments) {
    var out = new ArrayList<>(arguments);
    out.addAll(List.of("--data", folder.resolve(data).toString()));
    return out;
  }

  /// Requests for where a vessel lies, and the calls that answer them.
  private static List<String> lookups() {
    return PortAlder.captured(3, 400)
        .map(dialogue -> dialogue.turns().getFirst())
        .filter(turn ->
            turn.isCall() && turn.answer().calls().getFirst().name().equals("lookup_vessel"))
        .limit(24)
        .map(turn -> {
          var line = Json.object();
          line.set(
              "messages", turn.messages().deepCopy().add(CompletionJson.message(turn.answer())));
          line.set("tools", PortAlder.tools());
          return Json.write(line);
        })
        .toList();
  }
}
