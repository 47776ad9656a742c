package dev.espalier.dataset;

import dev.espalier.chat.CanonicalCall;
import dev.espalier.chat.CanonicalJson;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.chat.Sha256;
import dev.espalier.store.Example;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import tools.jackson.databind.JsonNode;

/// What an example is recognised by: digests that are equal exactly when the conversations say the
/// same. The ids of calls and the way a client spells the JSON do not count.
///
/// @param prefixes of the first k messages, for every k up to the whole prompt, tools included
/// @param talk the same without system messages and tools, which may change from turn to turn
/// @param turn the whole prompt and the target
/// @param talkTurn the prompt without system messages, and the target
/// @param question the whole prompt without its tools
record Digests(
    List<String> prefixes, List<String> talk, String turn, String talkTurn, String question) {
  private static final List<String> SHAPING =
      List.of("tools", "tool_choice", "response_format", "chat_template_kwargs");

  /// Parts of an answer that clients leave out when they send it back.
  private static final List<String> UNECHOED = List.of("reasoning_content", "reasoning");

  static Digests of(Example example) {
    return of(example, UnaryOperator.identity());
  }

  /// @param text what is done to texts first: what it removes does not count either
  static Digests of(Example example, UnaryOperator<String> text) {
    var prefixes = new ArrayList<String>();
    var talk = new ArrayList<String>();
    prefixes.add(chain("", shape(example.request())));
    talk.add("");
    var question = "";
    for (var message : example.request().messages()) {
      var said = said(message, text);
      prefixes.add(chain(prefixes.getLast(), said));
      question = chain(question, said);
      if (!said.startsWith("System")) talk.add(chain(talk.getLast(), said));
    }
    var target = said(example.target(), text);
    return new Digests(
        prefixes, talk, chain(prefixes.getLast(), target), chain(talk.getLast(), target), question);
  }

  private static String shape(ChatRequest request) {
    var shape = Json.object();
    for (var field : SHAPING) {
      if (request.json().hasNonNull(field)) shape.set(field, request.json().get(field));
    }
    return CanonicalJson.of(shape);
  }

  private static String said(JsonNode json, UnaryOperator<String> text) {
    var message = ChatRequest.message(json);
    var content = content(json.path("content"), text);
    return switch (message) {
      case Message.System _ -> "System\n" + content;
      case Message.User _ -> "User\n" + content;
      case Message.ToolResult _ -> "ToolResult\n" + content;
      case Message.Assistant assistant -> {
        var said = new StringBuilder("Assistant\n").append(content);
        for (var call : assistant.calls()) {
          var canonical = CanonicalCall.of(call);
          said.append('\n').append(canonical == null ? call : canonical);
        }
        for (var field : UNECHOED) said.append('\n').append(json.path(field).asString(""));
        yield said.toString();
      }
    };
  }

  private static String content(JsonNode content, UnaryOperator<String> text) {
    if (!content.isArray()) return text.apply(content.asString(""));
    var texts = new StringBuilder();
    for (var part : content) {
      if (!part.path("text").isString()) return CanonicalJson.of(content); // an image, say
      texts.append(part.path("text").asString());
    }
    return text.apply(texts.toString());
  }

  private static String chain(String before, String next) {
    return new Sha256().add(before).add(next).hex().substring(0, 32);
  }
}
