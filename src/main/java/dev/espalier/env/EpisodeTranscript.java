package dev.espalier.env;

import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.CompletionJson;
import dev.espalier.chat.Json;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/// What an agent and the policy said to each other, which may be several conversations: a request
/// that begins with all of an earlier one and its answer continues it, any other begins a new one.
final class EpisodeTranscript {
  private static final class Talk {
    private ArrayNode messages = Json.array();
    private final List<Completion> turns = new ArrayList<>();

    boolean startsAs(ArrayNode whole) {
      if (messages.size() > whole.size()) return false;
      for (int i = 0; i < messages.size(); i++) {
        // compared as values: clients give back an answer with other fields than it came with
        var mine = ChatRequest.message(messages.get(i));
        if (!mine.equals(ChatRequest.message(whole.get(i)))) return false;
      }
      return true;
    }
  }

  private final List<Talk> talks = new ArrayList<>();
  private final Set<JsonNode> tools = new LinkedHashSet<>();
  private int turns;

  void add(ChatRequest request, Completion completion) {
    var talk = talkOf(request.messages());
    talk.messages = Json.array().addAll(request.messages());
    talk.messages.add(CompletionJson.message(completion.message()));
    talk.turns.add(completion);
    turns++;
    if (request.tools() != null) for (var tool : request.tools()) tools.add(tool);
  }

  private Talk talkOf(ArrayNode messages) {
    for (var talk : talks.reversed()) if (talk.startsAs(messages)) return talk;
    talks.add(new Talk());
    return talks.getLast();
  }

  /// How many completions there were.
  int size() {
    return turns;
  }

  /// All messages, conversation by conversation.
  ArrayNode messages() {
    var all = Json.array();
    for (var talk : talks) all.addAll(talk.messages);
    return all;
  }

  /// Every tool that was offered; null if there were none.
  @Nullable ArrayNode tools() {
    return tools.isEmpty() ? null : Json.array().addAll(tools);
  }

  /// All completions, conversation by conversation.
  List<Completion> turns() {
    return talks.stream().flatMap(talk -> talk.turns.stream()).toList();
  }
}
