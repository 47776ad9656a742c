package dev.espalier.pretrain;

import dev.espalier.pretrain.Conversation.Call;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/// Checks a call against its tool's schema.
final class Schemas {
  private Schemas() {}

  static List<String> violations(Tool tool, Call call) {
    var out = new ArrayList<String>();
    var order = tool.arguments().stream().map(Tool.Argument::name).toList();
    for (var argument : tool.arguments()) {
      var value = call.arguments().get(argument.name());
      if (value == null) {
        if (argument.required()) out.add(argument.name() + " is missing");
        continue;
      }
      boolean fits =
          switch (argument.type()) {
            case "integer" -> value instanceof Integer;
            case "number" -> value instanceof BigDecimal;
            case "boolean" -> value instanceof Boolean;
            default -> value instanceof String text && !text.isBlank();
          };
      if (!fits) out.add(argument.name() + " is no " + argument.type() + ": " + value);
      boolean allowed =
          argument.choices().isEmpty() || argument.choices().contains(value.toString());
      if (!allowed) out.add(argument.name() + " is none of the choices: " + value);
    }
    for (var name : call.arguments().keySet()) {
      if (!order.contains(name)) out.add(name + " is not an argument");
    }
    if (!order.stream()
        .filter(call.arguments()::containsKey)
        .toList()
        .equals(List.copyOf(call.arguments().keySet()))) {
      out.add("not in the order of the schema");
    }
    return out;
  }
}
