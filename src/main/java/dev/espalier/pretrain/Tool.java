package dev.espalier.pretrain;

import dev.espalier.chat.Json;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// A tool's schema.
///
/// @param description empty if it has none
/// @param arguments in schema order, which is the order that calls list them in
record Tool(String name, String description, List<Argument> arguments) {
  Tool {
    arguments = List.copyOf(arguments);
  }

  /// An argument of a tool.
  ///
  /// @param type JSON schema's word: string, integer, number or boolean
  /// @param description empty if it has none
  /// @param choices the allowed values, empty if any will do
  record Argument(
      String name, String type, String description, List<String> choices, boolean required) {
    Argument {
      choices = List.copyOf(choices);
    }
  }

  /// Reads a tool of OpenAI's function form.
  static Tool of(JsonNode json) {
    var function = json.get("function");
    var parameters = function.get("parameters");
    var required = new ArrayList<String>();
    for (var name : parameters.path("required")) required.add(name.asString());
    var arguments = new ArrayList<Argument>();
    for (var property : parameters.get("properties").properties()) {
      var value = property.getValue();
      var choices = new ArrayList<String>();
      for (var choice : value.path("enum")) choices.add(choice.asString());
      arguments.add(
          new Argument(
              property.getKey(),
              value.path("type").asString("string"),
              value.path("description").asString(""),
              choices,
              required.contains(property.getKey())));
    }
    return new Tool(
        function.get("name").asString(), function.path("description").asString(""), arguments);
  }

  /// OpenAI's function form.
  JsonNode json() {
    var properties = Json.object();
    var required = Json.array();
    for (var argument : arguments) {
      var property = Json.object().put("type", argument.type());
      if (!argument.description().isEmpty()) property.put("description", argument.description());
      if (!argument.choices().isEmpty()) {
        var choices = property.putArray("enum");
        for (var choice : argument.choices()) choices.add(choice);
      }
      properties.set(argument.name(), property);
      if (argument.required()) required.add(argument.name());
    }
    var parameters = Json.object().put("type", "object");
    parameters.set("properties", properties);
    parameters.set("required", required);
    var function = Json.object().put("name", name);
    if (!description.isEmpty()) function.put("description", description);
    function.set("parameters", parameters);
    var out = Json.object().put("type", "function");
    out.set("function", function);
    return out;
  }
}
