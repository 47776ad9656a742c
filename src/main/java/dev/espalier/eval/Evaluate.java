package dev.espalier.eval;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.store.Example;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/// Asks a model for every held-out turn, greedily, and grades the answers.
public final class Evaluate {
  /// What the client chose about sampling and transport does not belong to the question.
  private static final Set<String> DROPPED =
      Set.of(
          "stream",
          "stream_options",
          "n",
          "seed",
          "temperature",
          "top_p",
          "top_k",
          "min_p",
          "logprobs",
          "top_logprobs",
          "max_tokens",
          "max_completion_tokens");

  private final ChatModel model;
  private final EvaluateConfig config;

  private Evaluate(ChatModel model, EvaluateConfig config) {
    this.model = model;
    this.config = config;
  }

  /// Grades the model on every example; the report's turns are in the order of the examples.
  ///
  /// A model that fails on a turn ([ChatException]) gets it wrong; any other exception is a defect
  /// and ends the evaluation.
  ///
  /// @param progress is told of every graded turn, in order, on the calling thread
  public static Report run(
      ChatModel model, List<Example> examples, EvaluateConfig config, Consumer<Scored> progress) {
    var evaluate = new Evaluate(model, config);
    var scored = new ArrayList<Scored>();
    var threads = Thread.ofVirtual().name("evaluate-", 0).factory();
    try (var pool = Executors.newFixedThreadPool(config.concurrency(), threads)) {
      var turns = examples.stream().map(e -> pool.submit(() -> evaluate.score(e))).toList();
      try {
        for (var turn : turns) {
          scored.add(result(turn));
          progress.accept(scored.getLast());
        }
      } finally {
        pool.shutdownNow();
      }
    }
    return Report.of(scored);
  }

  private Scored score(Example example) {
    long start = System.nanoTime();
    try {
      var completion = model.complete(question(example.request()));
      double seconds = (System.nanoTime() - start) / 1e9;
      var expected = example.expected();
      var answer = completion.message();
      boolean texts = expected.calls().isEmpty() && answer.calls().isEmpty();
      double f1 = texts ? TextOverlap.f1(expected.text(), answer.text()) : 0;
      return new Scored(example, Grading.grade(expected, answer), completion, f1, seconds, "");
    } catch (ChatException e) {
      double seconds = (System.nanoTime() - start) / 1e9;
      var why = "%d %s".formatted(e.status(), e.getMessage());
      return new Scored(example, Grade.ERROR, null, 0, seconds, why);
    }
  }

  /// The captured request with greedy sampling; everything else is passed on as it was.
  private ChatRequest question(ChatRequest request) {
    var json = Json.object();
    for (var field : request.json().properties()) {
      if (!DROPPED.contains(field.getKey())) json.set(field.getKey(), field.getValue());
    }
    if (!config.model().isEmpty()) json.put("model", config.model());
    return new ChatRequest(json.put("temperature", 0).put("max_tokens", config.maxTokens()));
  }

  private static Scored result(Future<Scored> turn) {
    try {
      return turn.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the evaluation was interrupted", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException defect) throw defect;
      throw new IllegalStateException("the evaluation failed", e.getCause());
    }
  }
}
