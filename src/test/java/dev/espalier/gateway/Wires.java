package dev.espalier.gateway;

/// Bodies that tests send and answer with.
final class Wires {
  static final String REQUEST =
      """
      {"model": "gpt-x",  "messages": [{"role":"system","content":"Be brief."},
       {"role":"user","content":"2+2?"}], "unknown_field": [1, 2.50]}\
      """;

  static final String STREAM_REQUEST = REQUEST.replaceFirst("\\{", "{\"stream\": true,");

  static final String RESPONSE =
      """
      {"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-x-2026",
       "choices":[{"index":0,"message":{"role":"assistant","content":"4"},"finish_reason":"stop"}],
       "usage":{"prompt_tokens":11,"completion_tokens":1,"total_tokens":12,
                "prompt_tokens_details":{"cached_tokens":3}}, "extra": {"kept": true}}\
      """;

  private Wires() {}

  /// A request to a model of this process.
  ///
  /// @param more fields, with a comma before each
  static String local(String model, String more) {
    return REQUEST
        .replace(", \"unknown_field\": [1, 2.50]", "")
        .replace("\"gpt-x\"", "\"%s\"%s".formatted(model, more));
  }

  static String chunk(String delta, String finish) {
    return """
    {"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"gpt-x-2026",\
    "choices":[{"index":0,"delta":%s,"finish_reason":%s}]}\
    """
        .formatted(delta, finish);
  }

  /// A stream of one tool call, its arguments in pieces.
  static void toolCall(ScriptedUpstream.Wire wire) throws java.io.IOException {
    wire.startStream();
    wire.event(chunk("{\"role\":\"assistant\",\"content\":null}", "null"));
    wire.event(
        chunk(
            "{\"tool_calls\":[{\"index\":0,\"id\":\"call_1\",\"type\":\"function\","
                + "\"function\":{\"name\":\"add\",\"arguments\":\"\"}}]}",
            "null"));
    wire.event(
        chunk(
            "{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":2,\"}}]}",
            "null"));
    wire.event(
        chunk(
            "{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"\\\"b\\\":2}\"}}]}",
            "null"));
    wire.event(chunk("{}", "\"tool_calls\""));
    wire.event("[DONE]");
    wire.endStream();
  }

  /// A stream of the text "four", in three pieces.
  static void text(ScriptedUpstream.Wire wire) throws java.io.IOException {
    wire.startStream();
    wire.event(chunk("{\"role\":\"assistant\",\"content\":\"\"}", "null"));
    for (var piece : new String[] {"f", "ou", "r"}) {
      wire.event(chunk("{\"content\":\"" + piece + "\"}", "null"));
    }
    wire.event(chunk("{}", "\"stop\""));
    wire.event("[DONE]");
    wire.endStream();
  }
}
