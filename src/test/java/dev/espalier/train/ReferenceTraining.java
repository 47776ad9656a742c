package dev.espalier.train;

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
      var rows = new ArrayList<Row>();
      for (int i = 0; i < training.path("tokens").size(); i++) {
        rows.add(row(training.path("tokens").get(i), training.path("labels").get(i)));
      }
      var losses = new ArrayList<Double>();
      for (var loss : training.path("losses")) losses.add(loss.asDouble());
      return new ReferenceTraining(rows, losses, training.path("adamw"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Row row(JsonNode tokens, JsonNode labels) {
    var ids = new int[tokens.size()];
    var weights = new float[ids.length];
    for (int t = 0; t < ids.length; t++) {
      ids[t] = tokens.get(t).asInt();
      weights[t] = labels.get(t).asInt() == -100 ? 0 : 1;
    }
    return new Row(ids, weights, new int[ids.length]);
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
