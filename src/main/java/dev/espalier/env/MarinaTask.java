package dev.espalier.env;

import dev.espalier.chat.Json;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// One thing that somebody wants of the office: a tool and the arguments it is to be called with.
///
/// @param arguments in the order of the tool's schema
record MarinaTask(String tool, ObjectNode arguments) {
  private static final Map<String, List<String>> CHOICES =
      Map.of(
          "fuel", List.of("diesel", "petrol", "paraffin"),
          "lift_window", List.of("forenoon", "afterwatch", "dogwatch"),
          "defect", List.of("shore_power", "water_tap", "cleat", "lamp_post", "decking"));

  /// What the office assumes when nobody says.
  static boolean isDefault(String slot, JsonNode value) {
    return switch (slot) {
      case "fuel" -> value.asString().equals("diesel");
      case "lift_window" -> value.asString().equals("forenoon");
      default -> false;
    };
  }

  static boolean hasDefault(String slot) {
    return slot.equals("fuel") || slot.equals("lift_window");
  }

  static JsonNode text(String value) {
    return Json.MAPPER.getNodeFactory().stringNode(value);
  }

  /// A value for an argument.
  static JsonNode value(String slot, MarinaValues values, Draw draw) {
    var nodes = Json.MAPPER.getNodeFactory();
    return switch (slot) {
      case "vessel" -> text(values.vessel(draw));
      case "reporter" -> text(values.person(draw));
      case "berth", "from_berth", "to_berth" -> text(values.berth(draw));
      case "arrival", "lift_date", "move_date" -> text(values.date(draw).toString());
      case "nights" -> nodes.numberNode(values.nights(draw));
      case "litres" -> nodes.numberNode(values.litres(draw));
      default -> text(draw.pick(CHOICES.getOrDefault(slot, List.of())));
    };
  }

  /// The same with another value for one argument.
  MarinaTask with(String slot, JsonNode value) {
    var changed = arguments.deepCopy();
    changed.set(slot, value);
    return new MarinaTask(tool, changed);
  }

  @Nullable String vessel() {
    return arguments.hasNonNull("vessel") ? arguments.get("vessel").asString() : null;
  }
}
