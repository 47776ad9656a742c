package dev.espalier.env;

import dev.espalier.chat.Json;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The harbour office behind the tools: a register of vessels, and a book of what was ordered.
final class MarinaOffice {
  private final MarinaValues values;
  private final Draw draw;
  private final Map<String, ObjectNode> register = new LinkedHashMap<>();
  private final Map<String, JsonNode> book = new TreeMap<>();

  MarinaOffice(MarinaValues values, Draw draw) {
    this.values = values;
    this.draw = draw;
  }

  /// Calls a tool: its result, or an object with `error`.
  ///
  /// @param arguments as the model wrote them
  ObjectNode call(String tool, String arguments) {
    if (!PortAlder.toolNames().contains(tool)) return error("there is no tool " + tool);
    JsonNode given;
    try {
      given = Json.parse(arguments);
    } catch (JacksonException e) {
      return error("the arguments are not JSON");
    }
    var fault = fault(tool, given);
    if (fault != null) return error(fault);
    book.put(key(tool, given), given);
    if (tool.equals("lookup_vessel")) return lookup(given.path("vessel").asString()).deepCopy();
    for (var slot : new String[] {"berth", "to_berth"}) {
      if (given.has(slot) && given.has("vessel")) {
        lookup(given.path("vessel").asString()).set("berth", given.get(slot));
      }
    }
    return Json.object().put("ok", true).put("ref", "PA-" + (1000 + draw.below(9000)));
  }

  private static ObjectNode error(String why) {
    return Json.object().put("error", why);
  }

  private static @Nullable String fault(String tool, JsonNode given) {
    if (!given.isObject()) return "the arguments are no object";
    var wanted = PortAlder.arguments(tool);
    for (var slot : wanted) {
      if (!given.has(slot)) return "the argument " + slot + " is missing";
      boolean number = slot.equals("nights") || slot.equals("litres");
      if (number != given.get(slot).isIntegralNumber()) return slot + " has the wrong type";
    }
    for (var name : given.propertyNames()) {
      if (!wanted.contains(name)) return "there is no argument " + name;
    }
    return null;
  }

  /// What the register has on a vessel; it has something on each.
  ObjectNode lookup(String vessel) {
    return register.computeIfAbsent(
        vessel,
        name ->
            Json.object()
                .put("vessel", name)
                .put("berth", values.berth(draw))
                .put("owner", values.person(draw)));
  }

  /// A later call about the same thing replaces the earlier one.
  static String key(String tool, JsonNode arguments) {
    var about = arguments.has("vessel") ? "vessel" : "berth";
    return tool + "/" + Objects.requireNonNull(arguments.get(about)).asString("");
  }

  /// Everything that was ordered.
  Map<String, JsonNode> book() {
    return book;
  }
}
