package dev.espalier.cli;

import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Message;
import dev.espalier.chat.Usage;
import dev.espalier.store.Example;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The baseline without learning: the answer to the captured request that is most like this one, by
/// the cosine of TF-IDF over the words of both, the last message counting most.
///
/// An adapter that does no better has learnt to look up, not to answer.
final class NearestCaptured implements ChatModel {
  private static final double LAST_MESSAGE = 10;

  private final List<Document> documents = new ArrayList<>();
  private final Map<String, Double> rarity = new HashMap<>();

  private record Document(Map<String, Double> vector, Message.Assistant answer) {}

  /// @param captured what it looks among, at least one
  NearestCaptured(List<Example> captured) {
    if (captured.isEmpty())
      throw new IllegalArgumentException("nothing was captured to look among");
    var frequencies = new HashMap<String, Integer>();
    for (var example : captured) {
      for (var word : counts(example.request()).keySet()) frequencies.merge(word, 1, Integer::sum);
    }
    double n = captured.size();
    frequencies.forEach((word, count) -> {
      if (count < n || n == 1) rarity.put(word, Math.log((n + 1) / count));
    });
    for (var example : captured) {
      documents.add(new Document(vector(example.request()), example.expected()));
    }
  }

  @Override
  public Completion complete(ChatRequest request) {
    var vector = vector(request);
    var best = documents.getFirst();
    double closest = -1;
    for (var document : documents) {
      double cosine = dot(vector, document.vector());
      if (cosine <= closest) continue;
      closest = cosine;
      best = document;
    }
    var reason = best.answer().calls().isEmpty() ? FinishReason.STOP : FinishReason.TOOL_CALLS;
    return new Completion(best.answer(), reason, new Usage(0, 0), null);
  }

  /// Unit length; words that no captured request has say nothing.
  private Map<String, Double> vector(ChatRequest request) {
    var vector = new HashMap<String, Double>();
    counts(request)
        .forEach((word, count) -> {
          var weight = rarity.get(word);
          if (weight != null) vector.put(word, Math.log1p(count) * weight);
        });
    double norm = Math.sqrt(dot(vector, vector));
    if (norm > 0) vector.replaceAll((word, weight) -> weight / norm);
    return vector;
  }

  private static double dot(Map<String, Double> a, Map<String, Double> b) {
    double sum = 0;
    for (var entry : a.entrySet()) sum += entry.getValue() * b.getOrDefault(entry.getKey(), 0.0);
    return sum;
  }

  private static Map<String, Double> counts(ChatRequest request) {
    var counts = new HashMap<String, Double>();
    var messages = request.conversation();
    for (int i = 0; i < messages.size(); i++) {
      double weight = i == messages.size() - 1 ? LAST_MESSAGE : 1;
      for (var word : words(messages.get(i))) counts.merge(word, weight, Double::sum);
    }
    return counts;
  }

  private static List<String> words(Message message) {
    var text =
        switch (message) {
          case Message.System(var system) -> system;
          case Message.User(var said) -> said;
          case Message.Assistant(var said, var calls) -> said + " " + calls;
          case Message.ToolResult(var id, var result) -> result;
        };
    return List.of(text.toLowerCase(Locale.ROOT).split("[^a-z0-9]+"));
  }
}
