package dev.espalier.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/// Reads the calls of models that write them as JSON.
final class JsonCalls {
  private static final Pattern HERMES =
      Pattern.compile("<tool_call>(.*?)(?:</tool_call>|\\z)", Pattern.DOTALL);

  /// What begins a completion that is Llama calls.
  private static final Pattern LLAMA =
      Pattern.compile("\\s*(?:<\\|python_tag\\|>|(?=\\{\\s*\"name\"))");

  private static final Pattern NEXT_LLAMA = Pattern.compile(";\\s*(?=\\{\\s*\"name\")");
  private static final Pattern MISTRAL =
      Pattern.compile("([^\\[{]+)(?:\\[CALL_ID][^\\[]*)?(?:\\[ARGS])?(\\{.*)", Pattern.DOTALL);

  private JsonCalls() {}

  static Reply hermes(String completion) {
    var found = HERMES.matcher(completion);
    var written = new ArrayList<String>();
    while (found.find()) written.add(found.group(1));
    if (written.isEmpty()) return Reply.text(completion);
    return reply(completion, found.replaceAll("").stripTrailing(), written);
  }

  static Reply llama3(String completion) {
    var begins = LLAMA.matcher(completion);
    if (!begins.lookingAt()) return Reply.text(completion);
    var text = completion.substring(begins.end()).strip();
    return reply(completion, "", List.of(NEXT_LLAMA.split(text)));
  }

  static Reply mistral(String completion) {
    var marker = ToolCallSyntax.MISTRAL.marker();
    int at = completion.indexOf(marker);
    if (at < 0) return Reply.text(completion);
    var text = completion.substring(0, at).stripTrailing();
    var rest = completion.substring(at + marker.length()).strip();
    if (rest.startsWith("[")) {
      return parse(rest) instanceof ArrayNode calls && !calls.isEmpty()
          ? reply(completion, text, calls.valueStream().map(JsonNode::toString).toList())
          : Reply.unparseable(completion);
    }
    var written = new ArrayList<String>();
    for (var part : rest.split(Pattern.quote(marker), -1)) {
      var call = MISTRAL.matcher(part);
      var arguments = call.matches() ? parse(call.group(2)) : null;
      if (arguments == null) return Reply.unparseable(completion);
      var json = Json.object().put("name", call.group(1).strip());
      json.set("arguments", arguments);
      written.add(json.toString());
    }
    return reply(completion, text, written);
  }

  private static Reply reply(String completion, String text, List<String> written) {
    var calls = new ArrayList<ToolCall>();
    for (var one : written) {
      var call = call(parse(one));
      if (call == null) return Reply.unparseable(completion);
      calls.add(call);
    }
    return new Reply(new Message.Assistant(text, calls), false);
  }

  private static @Nullable ToolCall call(@Nullable JsonNode json) {
    if (json == null || !json.path("name").isString()) return null;
    var arguments = json.has("arguments") ? json.get("arguments") : json.get("parameters");
    if (arguments != null && arguments.isString()) arguments = parse(arguments.asString());
    if (arguments == null || !arguments.isObject()) return null;
    return new ToolCall("", json.path("name").asString(), arguments.toString());
  }

  private static @Nullable JsonNode parse(String text) {
    try {
      return Json.parse(text);
    } catch (JacksonException e) {
      return null;
    }
  }
}
