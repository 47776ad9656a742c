package dev.espalier.chat;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;

/// How a model writes its tool calls.
public enum ToolCallSyntax {
  /// Espalier's built-in model: `<|call|> Name`, then a line ` argument: value` each.
  LINES("<|call|>", ""),
  /// Hermes and Qwen: `<tool_call>{"name": …, "arguments": {…}}</tool_call>`.
  HERMES("<tool_call>", "</tool_call>"),
  /// Llama 3: the whole completion is `{"name": …, "parameters": {…}}`.
  LLAMA3("<|python_tag|>", ""),
  /// Mistral: `[TOOL_CALLS][{"name": …, "arguments": {…}}]` or `[TOOL_CALLS]name[ARGS]{…}`.
  MISTRAL("[TOOL_CALLS]", ""),
  /// No calls, or a syntax that is not known here: every completion is text.
  NONE("", "");

  /// What Qwen3 and its kin write before an answer that they did not think about.
  static final Pattern EMPTY_THOUGHT = Pattern.compile("\\A\\s*<think>\\s*</think>\\s*");

  private final String marker;
  private final String end;

  ToolCallSyntax(String marker, String end) {
    this.marker = marker;
    this.end = end;
  }

  /// What begins a call in a completion.
  public String marker() {
    return marker;
  }

  /// What ends a call; empty where nothing does.
  public String end() {
    return end;
  }

  /// Finds the syntax that a chat template teaches.
  public static ToolCallSyntax detect(String template) {
    if (template.contains(LINES.marker)) return LINES;
    if (template.contains(MISTRAL.marker)) return MISTRAL;
    if (template.contains("{\"name\": function name, \"parameters\":")) return LLAMA3;
    boolean xml = template.contains("<function=") || template.contains("<arg_key>");
    if (template.contains(HERMES.marker) && !xml) return HERMES;
    return NONE;
  }

  /// Reads a completion without its end-of-turn token. An empty thought before it is dropped.
  ///
  /// @param tools the request's tools, whose schemas say what type a value written in LINES has
  public Reply parse(String completion, @Nullable ArrayNode tools) {
    var answer = EMPTY_THOUGHT.matcher(completion).replaceFirst("");
    return switch (this) {
      case LINES -> LineCalls.parse(answer, tools);
      case HERMES -> JsonCalls.hermes(answer);
      case LLAMA3 -> JsonCalls.llama3(answer);
      case MISTRAL -> JsonCalls.mistral(answer);
      case NONE -> Reply.text(answer);
    };
  }
}
