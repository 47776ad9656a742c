package dev.espalier.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.espalier.chat.Json;
import dev.espalier.pretrain.Conversation.Call;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Reads the real SGD data; skipped where it is absent.
class SgdTest {
  private static @Nullable Sgd train;

  @TempDir Path dir;

  private static Path data() {
    var found = Sgd.find();
    assumeTrue(found != null, "no SGD data: set ESPALIER_SHARED");
    return Objects.requireNonNull(found);
  }

  private static Sgd train() {
    if (train == null) train = Sgd.load(data(), "train");
    return train;
  }

  @AfterAll
  static void forget() {
    train = null;
  }

  @Test
  void nothingOfTheHeldOutServicesIsTrainedOn() {
    var train = train();
    var allowed = SgdConversations.allowed(train);
    assertThat(train.dialogues().size()).isGreaterThan(allowed.dialogues().size() + 1500);
    assertThat(allowed.services()).doesNotContainKeys("RentalCars_1", "Buses_1", "Events_1");
    for (var dialogue : allowed.dialogues()) {
      assertThat(dialogue.services()).doesNotContain("RentalCars_1", "Buses_1", "Events_1");
    }
    var conversations = new SgdConversations(allowed, new Words(Lexicon.of(allowed), null));
    var described = new HashSet<Set<String>>();
    for (int i = 0; i < 300; i++) {
      for (var tool : conversations.draw(i, Dice.of(1, i)).tools())
        described.add(descriptions(tool));
    }
    for (var service : Sgd.HELD_OUT) {
      for (var tool : train.tools(List.of(service))) {
        assertThat(described).doesNotContain(descriptions(tool));
      }
    }
  }

  /// What tells a tool that may have been renamed.
  private static Set<String> descriptions(Tool tool) {
    var out = new HashSet<String>();
    out.add(tool.description());
    for (var argument : tool.arguments()) out.add(argument.description());
    return out;
  }

  @Test
  void drawnCallsKeepToTheirTools() {
    var allowed = SgdConversations.allowed(train());
    var conversations = new SgdConversations(allowed, new Words(Lexicon.of(allowed), null));
    int calls = 0;
    for (int i = 0; i < 300; i++) {
      var drawn = conversations.draw(i, Dice.of(2, i));
      for (var turn : drawn.turns()) {
        if (!(turn instanceof Call call)) continue;
        calls++;
        var names = new HashSet<String>();
        for (var tool : drawn.tools()) {
          if (!tool.name().equals(call.tool())) continue;
          tool.arguments().forEach(argument -> names.add(argument.name()));
        }
        assertThat(names).as(() -> Rendering.text(drawn)).containsAll(call.arguments().keySet());
      }
    }
    assertThat(calls).isGreaterThan(450);
  }

  @Test
  void theEvaluationSetIsTheOneChosenBeforeTraining() {
    var sgd = data();
    var examples = SgdCalls.evaluation(sgd);
    assertThat(examples).hasSize(300).isEqualTo(SgdCalls.choose(sgd));
    assertThat(examples.stream().filter(SgdCalls.Example::seen)).hasSize(129);
  }

  @Test
  void callsOfAHeldOutServiceAreExportedAsChatLines() throws Exception {
    SgdCalls.export(data(), dir);
    var lines = Files.readAllLines(dir.resolve("Buses_1-dev.jsonl"));
    assertThat(lines).hasSize(503);
    for (var line : lines) {
      var json = Json.parse(line);
      var last = json.get("messages").get(json.get("messages").size() - 1);
      var name = last.at("/tool_calls/0/function/name").asString();
      assertThat(name).isIn("FindBus", "BuyBusTicket");
      assertThat(json.get("tools")).anyMatch(t -> t.at("/function/name").asString().equals(name));
    }
    assertThat(Files.readAllLines(dir.resolve("Buses_1-train.jsonl"))).hasSize(988);
    assertThat(Files.readAllLines(dir.resolve("evaluation.jsonl"))).hasSize(300);
  }
}
