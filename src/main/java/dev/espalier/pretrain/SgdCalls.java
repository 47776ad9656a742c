package dev.espalier.pretrain;

import dev.espalier.chat.Json;
import dev.espalier.chat.Sha256;
import dev.espalier.pretrain.Conversation.Call;
import dev.espalier.pretrain.Sgd.Dialogue;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.node.ObjectNode;

/// Tool calls of SGD dialogues as examples: what came before, the tools, and the call.
///
/// Each is an OpenAI chat JSONL line whose last message is the call to be made, its arguments in
/// the order of the schema.
public final class SgdCalls {
  private static final String LIST = "sgd-evaluation.txt";
  private static final long SEED = 2026;
  private static final int SIZE = 300;

  /// A call of the evaluation set.
  ///
  /// @param dialogue the dialogue's id
  /// @param message the call's place among the dialogue's messages
  /// @param seen whether the base model has been trained on the service it belongs to
  /// @param json the example
  public record Example(String dialogue, int message, boolean seen, ObjectNode json) {}

  private SgdCalls() {}

  /// Writes `evaluation.jsonl`, and for every held-out service `SERVICE-train.jsonl` and
  /// `SERVICE-dev.jsonl`: its calls in the dialogues of that part.
  ///
  /// @param sgd the folder of the SGD data
  /// @param out the folder to write to, made if absent
  public static void export(Path sgd, Path out) {
    try {
      Files.createDirectories(out);
      write(out.resolve("evaluation.jsonl"), evaluation(sgd).stream().map(Example::json).toList());
      for (var part : List.of("train", "dev")) {
        var data = Sgd.load(sgd, part);
        for (var service : Sgd.HELD_OUT) {
          write(out.resolve(service + "-" + part + ".jsonl"), calls(data, service));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the SGD calls to " + out, e);
    }
  }

  private static void write(Path file, List<ObjectNode> examples) throws IOException {
    Files.write(file, examples.stream().map(Json::write).toList());
  }

  private static List<ObjectNode> calls(Sgd sgd, String service) {
    var tools = sgd.services().get(service);
    if (tools == null) {
      throw new IllegalArgumentException(
          "no service %s in SGD; it has %s".formatted(service, sgd.services().keySet()));
    }
    var names = names(tools);
    var out = new ArrayList<ObjectNode>();
    for (var dialogue : sgd.dialogues()) {
      if (!dialogue.services().contains(service)) continue;
      for (int i = 0; i < dialogue.turns().size(); i++) {
        boolean ours = dialogue.turns().get(i) instanceof Call call && names.contains(call.tool());
        if (ours) out.add(example(sgd, dialogue, i));
      }
    }
    return out;
  }

  private static Set<String> names(List<Tool> tools) {
    var out = new HashSet<String>();
    for (var tool : tools) out.add(tool.name());
    return out;
  }

  private static ObjectNode example(Sgd sgd, Dialogue dialogue, int message) {
    var tools = sgd.tools(dialogue.services());
    var turns = SgdConversations.inSchemaOrder(dialogue.turns().subList(0, message + 1), tools);
    return new Conversation(tools, turns).json();
  }

  /// The evaluation set: 300 dev calls, of dialogues without held-out services, that were chosen
  /// before the base model was trained.
  ///
  /// @param sgd the folder of the SGD data
  /// @throws IllegalStateException if the data is not what they were chosen from
  public static List<Example> evaluation(Path sgd) {
    var dev = Sgd.load(sgd, "dev");
    var out = new ArrayList<Example>();
    var hash = "";
    for (var line : Lines.of(LIST)) {
      var cells = line.split(" ");
      if (cells[0].equals("sha256")) {
        hash = cells[1];
        continue;
      }
      int message = Integer.parseInt(cells[1]);
      out.add(
          new Example(
              cells[0],
              message,
              cells[2].equals("seen"),
              example(dev, dialogue(dev, cells[0]), message)));
    }
    if (!hash.equals(hash(out))) {
      throw new IllegalStateException(
          "the SGD data in %s is not what the evaluation set was chosen from".formatted(sgd));
    }
    return out;
  }

  private static Dialogue dialogue(Sgd sgd, String id) {
    return sgd.dialogues().stream()
        .filter(dialogue -> dialogue.id().equals(id))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no dialogue " + id + " in the SGD data"));
  }

  /// Chooses the evaluation set again, at most a call a dialogue: how the list came about.
  static List<Example> choose(Path sgd) {
    var dev = Sgd.load(sgd, "dev");
    var train = Sgd.services(sgd, "train").keySet();
    var dice = Dice.of(SEED, 0);
    var out = new ArrayList<Example>();
    for (var dialogue : dice.shuffled(dev.dialogues())) {
      var calls = new ArrayList<Integer>();
      for (int i = 0; i < dialogue.turns().size(); i++) {
        if (dialogue.turns().get(i) instanceof Call) calls.add(i);
      }
      if (calls.isEmpty() || dialogue.touches(Sgd.HELD_OUT) || out.size() == SIZE) continue;
      int message = dice.pick(calls);
      var known = new HashSet<String>();
      for (var service : dialogue.services()) {
        if (train.contains(service)) known.addAll(names(dev.tools(List.of(service))));
      }
      boolean ours =
          dialogue.turns().get(message) instanceof Call call && known.contains(call.tool());
      out.add(new Example(dialogue.id(), message, ours, example(dev, dialogue, message)));
    }
    return out;
  }

  /// SHA-256 of the examples as JSON lines.
  static String hash(List<Example> examples) {
    var hash = new Sha256();
    for (var example : examples) hash.add(Json.write(example.json()) + "\n");
    return hash.hex();
  }
}
