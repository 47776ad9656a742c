package dev.espalier.cli;

import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.CompletionJson;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.dataset.CapturedExamples;
import dev.espalier.dataset.Dataset;
import dev.espalier.dataset.DatasetConfig;
import dev.espalier.dataset.DatasetConfig.Prune;
import dev.espalier.env.Dialogue.Turn;
import dev.espalier.env.PortAlder;
import dev.espalier.eval.Evaluate;
import dev.espalier.eval.EvaluateConfig;
import dev.espalier.eval.Report;
import dev.espalier.store.CaptureFilter;
import dev.espalier.store.Example;
import dev.espalier.store.Store;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import tools.jackson.databind.node.ObjectNode;

/// The main job of Espalier, end to end: an application's traffic is captured, distilled into an
/// adapter, and answered by it, at a measured gain.
final class Demo {
  private static final double COVERAGE = 0.95;
  private static final double VALIDATION = 0.1;
  static final int CONCURRENCY = 32;
  private static final int CAPTURE_CONCURRENCY = 96; // most of a teacher's time is its delay
  private static final int MAX_TOKENS = 160; // of an answer

  private final DemoConfig config;
  private final Store store;
  private final DemoStudent student;
  private final Consumer<ObjectNode> progress;

  /// @param progress is told what happens, as it happens
  Demo(DemoConfig config, Store store, DemoStudent student, Consumer<ObjectNode> progress) {
    this.config = config;
    this.store = store;
    this.student = student;
    this.progress = progress;
  }

  DemoResult run() {
    long begin = System.nanoTime();
    store.deleteRoute(DemoConfig.MODEL); // of an earlier demo in the same folder
    var turns = turns();
    try (var teacher = DemoTeacher.start(turns, config.delay());
        var gateway = new DemoGateway(teacher.base(), store, student);
        var client = new DemoClient(gateway.base())) {
      gateway.price(config.price());

      // Act one: an application talks to a large model; the gateway captures what passes.
      var start = Instant.now();
      var asked = turns.stream().map(Demo::example).toList();
      var large = measure("teacher", client, asked, CAPTURE_CONCURRENCY);
      int requests = client.requests();
      var traffic = CaptureFilter.answered().model(DemoConfig.MODEL).since(start);
      long captured = store.count(traffic);
      progress.accept(event("captured").put("requests", requests).put("captured", captured));

      // Act two: what was captured becomes an adapter of the small model.
      var examples = asSent(CapturedExamples.read(store.captured(traffic)).examples(), asked);
      var dataset = Dataset.of(examples, dataset(), student::tokens);
      progress.accept(dataset.summary().toJson().put("event", "dataset"));
      student.distil(dataset, DemoConfig.ADAPTER, config.epochs(), progress);

      // Act three: the route is switched, and the same client is answered by the adapter.
      gateway.route(DemoConfig.MODEL, DemoConfig.ADAPTER);
      progress.accept(event("switched").put("adapter", DemoConfig.ADAPTER));
      var heldOut = PortAlder.evaluation().stream().map(Demo::example).toList();
      var unseen = PortAlder.evaluationUnseen().stream().map(Demo::example).toList();
      var distilled = measure("distilled", client, heldOut);
      var distilledUnseen = measure("distilled_unseen", client, calls(unseen));

      // What it is to be compared with: no training, and no learning.
      ChatModel pruned =
          request -> student.base().complete(dataset.rules().apply(request).request());
      var base = measure("base", pruned, calls(heldOut));
      var nearest = measure("nearest", new NearestCaptured(examples), calls(heldOut));
      double threeActs = (System.nanoTime() - begin) / 1e9;

      // Act four: an adapter that was shown little gets better by trying.
      var few = Dataset.of(DemoPractice.lessons(examples), dataset(), student::tokens);
      student.distil(few, DemoConfig.BEGINNER, DemoConfig.FEW_EPOCHS, progress);
      progress.accept(event("practising").put("requests", DemoConfig.FEW));
      var practised = student.reinforce(DemoConfig.BEGINNER, DemoConfig.REINFORCED, progress);
      progress.accept(practised.toJson().put("event", "practised"));

      var scores = new DemoResult.Scores(large, base, nearest, distilled, distilledUnseen);
      var seconds = new DemoResult.Seconds(threeActs, (System.nanoTime() - begin) / 1e9);
      return DemoResult.of(config, requests, captured, scores, practised, cost(traffic), seconds);
    }
  }

  /// The first requests of as many conversations as it takes.
  private List<Turn> turns() {
    return PortAlder.captured(config.seed(), config.requests())
        .flatMap(dialogue -> dialogue.turns().stream())
        .limit(config.requests())
        .toList();
  }

  private static Example example(Turn turn) {
    var request = ChatRequest.of(DemoConfig.MODEL, turn.messages(), PortAlder.tools());
    var target = CompletionJson.message(turn.answer());
    return new Example(request, target, turn.dialogue(), turn.dialogue());
  }

  /// What was captured in the order in which it was sent: it is captured as it is answered, on many
  /// connections, and a second demo is to learn from the same.
  private static List<Example> asSent(List<Example> captured, List<Example> sent) {
    var places = new HashMap<List<Message>, Integer>();
    for (var one : sent) places.putIfAbsent(one.request().conversation(), places.size());
    return captured.stream()
        .sorted(
            Comparator.comparing(example ->
                Objects.requireNonNull(
                    places.get(example.request().conversation()),
                    () -> example.source() + " was not sent by the demo")))
        .toList();
  }

  private static List<Example> calls(List<Example> examples) {
    return examples.stream().filter(example -> !example.expected().calls().isEmpty()).toList();
  }

  private DatasetConfig dataset() {
    return new DatasetConfig(
        VALIDATION, config.seed(), true, Prune.SYSTEM_AND_TOOLS, COVERAGE, student.context());
  }

  private Report measure(String who, ChatModel model, List<Example> examples) {
    return measure(who, model, examples, CONCURRENCY);
  }

  private Report measure(String who, ChatModel model, List<Example> examples, int concurrency) {
    var how = new EvaluateConfig(concurrency, MAX_TOKENS, "");
    var report = Evaluate.run(model, examples, how, turn -> {});
    progress.accept(report.toJson().put("event", "measured").put("model", who));
    return report;
  }

  /// What a thousand of these requests cost.
  private double cost(CaptureFilter traffic) {
    try (var captured = store.captured(traffic)) {
      return 1000
          * captured
              .map(request -> request.cost())
              .filter(Objects::nonNull)
              .mapToDouble(cost -> cost)
              .average()
              .orElse(0);
    }
  }

  private static ObjectNode event(String name) {
    return Json.object().put("event", name);
  }
}
