package dev.espalier.pretrain;

import dev.espalier.chat.Json;
import dev.espalier.pretrain.Conversation.Call;
import dev.espalier.pretrain.Conversation.Result;
import dev.espalier.pretrain.Conversation.Say;
import dev.espalier.pretrain.Conversation.Turn;
import dev.espalier.pretrain.Conversation.User;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// One split of the Schema-Guided Dialogue data (google-research-datasets, CC BY-SA 4.0), as
/// `shared/data/sgd` holds it.
///
/// @param services the tools of each service
record Sgd(Map<String, List<Tool>> services, List<Dialogue> dialogues) {
  /// Services that the base model must never see: what distillation is measured on.
  static final Set<String> HELD_OUT = Set.of("RentalCars_1", "Buses_1", "Events_1");

  /// A dialogue between a person and an assistant.
  record Dialogue(String id, List<String> services, List<Turn> turns) {
    boolean touches(Set<String> others) {
      return !Collections.disjoint(services, others);
    }
  }

  /// The folder with the data: `ESPALIER_SHARED`, or `../shared` beside the repository; null where
  /// there is none.
  static @Nullable Path find() {
    var shared = System.getenv("ESPALIER_SHARED");
    var folder = Path.of(shared == null ? "../shared" : shared, "data", "sgd");
    return Files.isDirectory(folder) ? folder : null;
  }

  /// Reads a split, `train` or `dev`, in the file's order.
  ///
  /// @throws UncheckedIOException if a file is missing or cannot be read
  static Sgd load(Path folder, String split) {
    var dialogues = new ArrayList<Dialogue>();
    try (var lines =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(folder.resolve(split + ".jsonl.gz"))),
                StandardCharsets.UTF_8))) {
      for (var line = lines.readLine(); line != null; line = lines.readLine()) {
        dialogues.add(dialogue(Json.parse(line)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the SGD data in " + folder, e);
    }
    return new Sgd(services(folder, split), List.copyOf(dialogues));
  }

  /// Reads the services of a split.
  ///
  /// @throws UncheckedIOException if the file is missing or cannot be read
  static Map<String, List<Tool>> services(Path folder, String split) {
    var services = new LinkedHashMap<String, List<Tool>>();
    try {
      var schema = Json.parse(Files.readString(folder.resolve("services_" + split + ".json")));
      for (var service : schema.properties()) {
        var tools = new ArrayList<Tool>();
        for (var tool : service.getValue().get("tools")) tools.add(Tool.of(tool));
        services.put(service.getKey(), List.copyOf(tools));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the SGD services in " + folder, e);
    }
    return services;
  }

  private static Dialogue dialogue(JsonNode json) {
    var services = new ArrayList<String>();
    for (var service : json.get("services")) services.add(service.asString());
    var turns = new ArrayList<Turn>();
    for (var message : json.get("messages")) turns.add(turn(message));
    return new Dialogue(json.get("id").asString(), List.copyOf(services), List.copyOf(turns));
  }

  private static Turn turn(JsonNode message) {
    var text = message.path("content").asString("");
    return switch (message.get("role").asString()) {
      case "user" -> new User(text);
      case "tool" -> new Result(text);
      default -> {
        var function = message.path("tool_calls").path(0).path("function");
        if (function.isMissingNode()) yield new Say(text);
        var arguments = new LinkedHashMap<String, Object>();
        for (var argument : Json.parse(function.get("arguments").asString()).properties()) {
          arguments.put(argument.getKey(), argument.getValue().asString());
        }
        yield new Call(function.get("name").asString(), arguments);
      }
    };
  }

  /// The tools of a dialogue: those of its services together.
  List<Tool> tools(List<String> names) {
    var out = new ArrayList<Tool>();
    for (var name : names) out.addAll(services.getOrDefault(name, List.of()));
    return out;
  }
}
