package dev.espalier.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.espalier.chat.Json;
import dev.espalier.pretrain.Conversation.Call;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Reads the real SGD data; skipped where it is absent.
class SgdTest {
  private Path sgd = Path.of("absent");

  @TempDir Path dir;

  @BeforeEach
  void findData() {
    var found = Sgd.find();
    assumeTrue(found != null, "no SGD data: set ESPALIER_SHARED");
    sgd = found;
  }

  @Test
  void nothingOfTheHeldOutServicesIsTrainedOn() {
    var train = Sgd.load(sgd, "train");
    var allowed = SgdConversations.allowed(train);
    assertThat(train.dialogues().size()).isGreaterThan(allowed.dialogues().size() + 1500);
    assertThat(allowed.services()).doesNotContainKeys("RentalCars_1", "Buses_1", "Events_1");
    for (var dialogue : allowed.dialogues()) {
      assertThat(dialogue.services()).doesNotContain("RentalCars_1", "Buses_1", "Events_1");
    }
    var conversations = new SgdConversations(allowed, new Words(Lexicon.of(allowed), null));
    var descriptions = new HashSet<String>();
    for (int i = 0; i < 500; i++) {
      var drawn = conversations.draw(i, Dice.of(1, i));
      drawn.tools().forEach(tool -> descriptions.add(tool.description()));
    }
    for (var service : Sgd.HELD_OUT) {
      for (var tool : train.services().getOrDefault(service, java.util.List.of())) {
        assertThat(descriptions).doesNotContain(tool.description());
      }
    }
  }

  @Test
  void drawnCallsKeepToTheirTools() {
    var allowed = SgdConversations.allowed(Sgd.load(sgd, "train"));
    var conversations = new SgdConversations(allowed, new Words(Lexicon.of(allowed), null));
    int calls = 0;
    for (int i = 0; i < 400; i++) {
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
    assertThat(calls).isGreaterThan(600);
  }

  @Test
  void theEvaluationSetIsTheOneChosenBeforeTraining() {
    var examples = SgdCalls.evaluation(sgd);
    assertThat(examples).hasSize(300).isEqualTo(SgdCalls.choose(sgd));
    assertThat(examples.stream().filter(SgdCalls.Example::seen)).hasSize(129);
  }

  @Test
  void callsOfAHeldOutServiceAreExportedAsChatLines() throws Exception {
    SgdCalls.export(sgd, "Buses_1", dir);
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
  }
}
