package dev.espalier.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/// Reads the built-in model's calls, in which a string stands unquoted and other values are JSON.
final class LineCalls {
  private static final Pattern ESCAPE = Pattern.compile("\\\\([nr\\\\])");

  private LineCalls() {}

  static Reply parse(String completion, @Nullable ArrayNode tools) {
    var parts = completion.split(Pattern.quote(ToolCallSyntax.LINES.marker()), -1);
    var text = unspaced(parts[0]);
    if (parts.length == 1) return Reply.text(text);
    var calls = new ArrayList<ToolCall>();
    for (var part : List.of(parts).subList(1, parts.length)) {
      var call = call(part, tools);
      if (call == null) return Reply.unparseable(unspaced(completion));
      calls.add(call);
    }
    return new Reply(new Message.Assistant(text, calls), false);
  }

  /// Without the space that the format puts before every text.
  private static String unspaced(String text) {
    return text.startsWith(" ") ? text.substring(1) : text;
  }

  private static @Nullable ToolCall call(String part, @Nullable ArrayNode tools) {
    var lines = part.split("\n", -1);
    var name = lines[0].strip();
    if (!lines[0].startsWith(" ") || name.isEmpty() || name.contains(" ")) return null;
    var schema = parameters(name, tools);
    var properties = schema.path("properties");
    var arguments = Json.object();
    for (int i = 1; i < lines.length; i++) {
      int colon = lines[i].indexOf(": ");
      if (!lines[i].startsWith(" ") || colon < 2) return null;
      var key = lines[i].substring(1, colon);
      if (arguments.has(key)) return null;
      var types = SchemaTypes.of(properties.path(key), schema);
      arguments.set(key, value(lines[i].substring(colon + 2), types));
    }
    return new ToolCall("", name, Json.write(arguments));
  }

  private static JsonNode parameters(String name, @Nullable ArrayNode tools) {
    for (var tool : tools == null ? Json.array() : tools) {
      var function = tool.has("function") ? tool.path("function") : tool;
      if (function.path("name").asString("").equals(name)) {
        return function.path("parameters");
      }
    }
    return Json.object();
  }

  /// What may be a string is one, even if it looks like a number; what may not is JSON. What is not
  /// the JSON that it should be stays a string, a wrong value to see.
  ///
  /// @param types that the schema allows
  private static JsonNode value(String written, Set<String> types) {
    var string = Json.MAPPER.getNodeFactory().stringNode(unescape(written));
    if (types.contains("string")) {
      return types.contains("null") && written.equals("null") ? Json.MAPPER.nullNode() : string;
    }
    try {
      return Json.parse(written);
    } catch (JacksonException e) {
      return string;
    }
  }

  /// `\n`, `\r` and `\\` as the template writes them; a lone backslash is itself.
  private static String unescape(String written) {
    return ESCAPE
        .matcher(written)
        .replaceAll(escape ->
            switch (escape.group(1)) {
              case "n" -> "\n";
              case "r" -> "\r";
              default -> "\\\\"; // one backslash, escaped for replaceAll
            });
  }
}
