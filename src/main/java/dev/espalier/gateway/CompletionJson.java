package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.espalier.chat.Completion;
import dev.espalier.chat.Json;
import dev.espalier.chat.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Completions in OpenAI's format, whole or as chunks of a stream.
final class CompletionJson {
  private final Exchange exchange;
  private final IntFunction<byte[]> tokens;

  /// @param tokens the bytes of a token
  CompletionJson(Exchange exchange, IntFunction<byte[]> tokens) {
    this.exchange = exchange;
    this.tokens = tokens;
  }

  private ObjectNode head(String object) {
    return Json.object()
        .put("id", "chatcmpl-" + exchange.id())
        .put("object", object)
        .put("created", exchange.time().getEpochSecond())
        .put("model", exchange.model());
  }

  ObjectNode whole(List<Completion> completions) {
    var json = head("chat.completion");
    var choices = json.putArray("choices");
    for (int i = 0; i < completions.size(); i++) {
      var completion = completions.get(i);
      var choice = choices.addObject().put("index", i);
      choice.set("message", message(completion));
      choice.set("logprobs", wantsLogprobs() ? logprobs(completion) : null);
      choice.put("finish_reason", completion.finish().wire());
    }
    json.set("usage", usageOf(completions));
    return json;
  }

  private static ObjectNode message(Completion completion) {
    var said = completion.message();
    var message = Json.object().put("role", "assistant");
    boolean silent = said.text().isEmpty() && !said.calls().isEmpty();
    message.put("content", silent ? null : said.text());
    message.putNull("refusal");
    if (!said.calls().isEmpty()) message.set("tool_calls", calls(completion, false));
    return message;
  }

  private static ArrayNode calls(Completion completion, boolean indexed) {
    var calls = Json.array();
    int index = 0;
    for (var call : completion.message().calls()) {
      var json = calls.addObject();
      if (indexed) json.put("index", index);
      json.put("id", call.id()).put("type", "function");
      json.putObject("function").put("name", call.name()).put("arguments", call.arguments());
      index++;
    }
    return calls;
  }

  static ObjectNode text(String text, boolean first) {
    return delta(first).put("content", text);
  }

  /// The first of a choice's chunks has the role, and no other: clients add strings up.
  private static ObjectNode delta(boolean first) {
    return first ? Json.object().put("role", "assistant") : Json.object();
  }

  ObjectNode chunk(int index, ObjectNode delta, @Nullable String finish) {
    var json = head("chat.completion.chunk");
    var choice = json.putArray("choices").addObject().put("index", index);
    choice.set("delta", delta);
    choice.put("finish_reason", finish);
    if (wantsUsage()) json.putNull("usage");
    return json;
  }

  /// The chunks after the text: tool calls, log-probabilities, the reason for the end.
  ///
  /// @param begun whether there was any text, and with it the role
  List<ObjectNode> ending(int index, Completion completion, boolean begun) {
    var chunks = new ArrayList<ObjectNode>();
    if (!completion.message().calls().isEmpty()) {
      var delta = delta(!begun);
      delta.set("tool_calls", calls(completion, true));
      chunks.add(chunk(index, delta, null));
    }
    var rest = begun || !chunks.isEmpty() ? Json.object() : text("", true);
    var last = chunk(index, rest, completion.finish().wire());
    if (wantsLogprobs()) {
      ((ObjectNode) last.path("choices").get(0)).set("logprobs", logprobs(completion));
    }
    chunks.add(last);
    return chunks;
  }

  boolean wantsUsage() {
    return exchange.json().path("stream_options").path("include_usage").asBoolean(false);
  }

  ObjectNode usage(List<Completion> completions) {
    var json = head("chat.completion.chunk");
    json.putArray("choices");
    json.set("usage", usageOf(completions));
    return json;
  }

  /// Prompt tokens count once, however many choices there are.
  private static ObjectNode usageOf(List<Completion> completions) {
    int prompt = completions.isEmpty() ? 0 : completions.getFirst().usage().promptTokens();
    int sampled = completions.stream().mapToInt(c -> c.usage().completionTokens()).sum();
    var usage = new Usage(prompt, sampled);
    return Json.object()
        .put("prompt_tokens", usage.promptTokens())
        .put("completion_tokens", usage.completionTokens())
        .put("total_tokens", usage.totalTokens());
  }

  private boolean wantsLogprobs() {
    return exchange.json().path("logprobs").asBoolean(false);
  }

  /// Those of the message's text; others end the turn, or are of a call or of a stop text.
  private @Nullable ObjectNode logprobs(Completion completion) {
    var trace = completion.trace();
    if (trace == null) return null;
    var json = Json.object();
    var content = json.putArray("content");
    var text = latin(completion.message().text().getBytes(UTF_8));
    var said = new StringBuilder();
    for (int id : trace.ids()) said.append(latin(tokens.apply(id)));
    int start = said.indexOf(text);
    int end = start < 0 ? said.length() : start + text.length(); // all where it was changed
    int at = 0;
    for (int i = 0; i < trace.ids().length; i++) {
      int before = at;
      at += tokens.apply(trace.ids()[i]).length;
      if (at <= start || before >= end) continue;
      var token = logprob(content, trace.ids()[i], trace.logprobs()[i]);
      var others = token.putArray("top_logprobs");
      if (trace.likeliest() == null) continue;
      for (var likely : trace.likeliest().get(i)) logprob(others, likely.id(), likely.logprob());
    }
    return json;
  }

  private ObjectNode logprob(ArrayNode to, int id, float logprob) {
    var bytes = tokens.apply(id);
    var token = to.addObject().put("token", new String(bytes, UTF_8));
    token.put("logprob", (double) logprob);
    var list = token.putArray("bytes");
    for (byte one : bytes) list.add(Byte.toUnsignedInt(one));
    return token;
  }

  /// A character a byte.
  private static String latin(byte[] bytes) {
    return new String(bytes, ISO_8859_1);
  }
}
