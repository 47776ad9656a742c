package dev.espalier.pretrain;

import dev.espalier.chat.Json;
import dev.espalier.pretrain.Conversation.Call;
import dev.espalier.pretrain.Conversation.Result;
import dev.espalier.pretrain.Conversation.Turn;
import dev.espalier.pretrain.Tool.Argument;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// Gives the tools and arguments of a conversation other plausible names, so that a model reads the
/// schema instead of remembering it.
final class Renaming {
  private static final Map<String, List<String>> SYNONYMS = synonyms();

  private final Map<String, String> names = new HashMap<>();
  private final Dice dice;
  private final Style style;

  private enum Style {
    AS_IT_IS,
    SNAKE,
    CAMEL,
    PASCAL
  }

  Renaming(Dice dice) {
    this.dice = dice;
    this.style = dice.pick(List.of(Style.values()));
  }

  private static Map<String, List<String>> synonyms() {
    var out = new HashMap<String, List<String>>();
    for (var line : Lines.of("synonyms.txt")) {
      var group = List.of(line.split(" "));
      for (var word : group) out.put(word, group);
    }
    return out;
  }

  Conversation apply(Conversation conversation) {
    var tools = new ArrayList<Tool>();
    for (var tool : conversation.tools()) tools.add(tool(tool));
    var turns = new ArrayList<Turn>();
    for (var turn : conversation.turns()) {
      turns.add(
          switch (turn) {
            case Call call -> call(call);
            case Result(var text) -> new Result(Json.write(result(Json.parse(text))));
            default -> turn;
          });
    }
    return new Conversation(tools, turns);
  }

  private Tool tool(Tool tool) {
    var arguments = new ArrayList<Argument>();
    for (var argument : tool.arguments()) {
      arguments.add(
          new Argument(
              name(argument.name(), false),
              argument.type(),
              argument.description(),
              argument.choices(),
              argument.required()));
    }
    return new Tool(name(tool.name(), true), tool.description(), arguments);
  }

  private Call call(Call call) {
    var arguments = new LinkedHashMap<String, Object>();
    call.arguments().forEach((name, value) -> arguments.put(name(name, false), value));
    return new Call(name(call.tool(), true), arguments);
  }

  private JsonNode result(JsonNode json) {
    if (json.isArray()) {
      var out = Json.array();
      for (var row : json) out.add(result(row));
      return out;
    }
    if (!json.isObject()) return json;
    var out = Json.object();
    for (var cell : json.properties()) out.set(name(cell.getKey(), false), cell.getValue());
    return out;
  }

  private String name(String name, boolean tool) {
    var known = names.get(name);
    if (known != null) return known;
    var fresh = fresh(name, tool);
    while (names.containsValue(fresh)) fresh += "_" + dice.between(2, 9);
    names.put(name, fresh);
    return fresh;
  }

  private String fresh(String name, boolean tool) {
    var parts = new ArrayList<String>();
    for (var part : name.split("_|(?<=[a-z])(?=[A-Z])")) {
      var word = part.toLowerCase(java.util.Locale.ROOT);
      parts.add(dice.chance(0.4) ? dice.pick(SYNONYMS.getOrDefault(word, List.of(word))) : word);
    }
    var shape = style == Style.AS_IT_IS ? (tool ? Style.PASCAL : Style.SNAKE) : style;
    if (!tool && shape == Style.PASCAL) shape = Style.CAMEL;
    return join(parts, shape);
  }

  private static String join(List<String> parts, Style style) {
    if (style == Style.SNAKE) return String.join("_", parts);
    var out = new StringBuilder();
    for (var part : parts) {
      out.append(out.isEmpty() && style == Style.CAMEL ? part : Words.capital(part));
    }
    return out.toString();
  }
}
