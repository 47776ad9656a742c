package dev.espalier.dataset;

import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.store.Example;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.node.ObjectNode;

/// Examples put back together into conversations, the form that is turned into tokens: the answers
/// to learn have weight 1, the others weight 0.
public final class Conversations {
  private Conversations() {}

  /// The example alone: of its answers only the target is to be learned.
  public static ChatRequest single(Example example) {
    return weighted(example, Set.of());
  }

  /// Examples that are turns of a longer one become answers to learn within it, so that their
  /// common beginning is computed once. Every example's target is learned exactly once.
  public static List<ChatRequest> merged(List<Example> examples) {
    var digests = examples.parallelStream().map(Digests::of).toList();
    var longest = new HashMap<String, Integer>(); // digest of a prefix to the longest that has it
    for (int i = 0; i < examples.size(); i++) {
      var prefixes = digests.get(i).prefixes();
      for (var prefix : prefixes) {
        longest.merge(
            prefix,
            i,
            (a, b) -> digests.get(b).prefixes().size() > digests.get(a).prefixes().size() ? b : a);
      }
    }
    var learned = new HashMap<Integer, Set<Integer>>(); // example to the answers within its prompt
    var roots = new ArrayList<Integer>();
    for (int i = 0; i < examples.size(); i++) {
      var host = longest.get(digests.get(i).turn());
      int at = examples.get(i).request().messages().size();
      boolean hosted = host != null && learned.computeIfAbsent(host, h -> new HashSet<>()).add(at);
      if (!hosted) roots.add(i);
    }
    return roots.stream()
        .map(root -> weighted(examples.get(root), learned.getOrDefault(root, Set.of())))
        .toList();
  }

  private static ChatRequest weighted(Example example, Set<Integer> learned) {
    var messages = example.messages();
    for (int i = 0; i < messages.size() - 1; i++) {
      if (!messages.get(i).path("role").asString("").equals("assistant")) continue;
      if (!learned.contains(i)) ((ObjectNode) messages.get(i)).put("weight", 0);
    }
    var json = Json.object();
    json.setAll(example.request().json());
    json.set("messages", messages);
    return new ChatRequest(json);
  }
}
