package dev.espalier.train;

import dev.espalier.model.Span;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A batch that transformers and PEFT trained on, with what they got
/// (src/test/python/make_fixtures.py).
record ReferenceTraining(List<Row> rows, List<Double> losses, JsonNode adamw) {
  static final Path FIXTURES = Path.of("src/test/resources/fixtures");

  static ReferenceTraining read(String file) {
    try {
      var json = JsonMapper.shared().readTree(Files.readString(FIXTURES.resolve(file)));
      var training = json.has("training") ? json.get("training") : json;
      var row = packed(training.path("tokens"), training.path("labels"));
      var losses = new ArrayList<Double>();
      for (var loss : training.path("losses")) losses.add(loss.asDouble());
      return new ReferenceTraining(List.of(row), losses, training.path("adamw"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The reference's batch, of one sequence a row, back to back in one row.
  private static Row packed(JsonNode tokens, JsonNode labels) {
    var spans = new ArrayList<Span>();
    for (var sequence : tokens) spans.add(Span.whole(sequence.size()));
    var ids = new int[spans.stream().mapToInt(Span::length).sum()];
    var weights = new float[ids.length];
    int at = 0;
    for (int i = 0; i < spans.size(); i++) {
      for (int t = 0; t < spans.get(i).length(); t++, at++) {
        ids[at] = tokens.get(i).get(t).asInt();
        weights[at] = labels.get(i).get(t).asInt() == -100 ? 0 : 1;
      }
    }
    return new Row(ids, weights, spans);
  }

  AdamW.Config config() {
    return new AdamW.Config(
        adamw.path("betas").get(0).asDouble(),
        adamw.path("betas").get(1).asDouble(),
        adamw.path("eps").asDouble(),
        adamw.path("weight_decay").asDouble());
  }

  double learningRate() {
    return adamw.path("lr").asDouble();
  }
}
