package dev.espalier.judge;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.env.Seeds;
import dev.espalier.env.TrajectoryGroup;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// RULER (OpenPipe): a language model scores the attempts at one task against each other.
///
/// Differs from ART's: attempts are shuffled, in several orders if asked, of which every second is
/// the reverse of the one before it; scores are matched by id; a verdict that misses an attempt,
/// repeats one or is no number in 0..1 is asked for again and then refused, so that no step trains
/// on half a verdict; attempts that are all the same are at one half without being shown.
///
/// @param model the judge
/// @param name tells it from other judges, in the label of its verdicts
public record Ruler(ChatModel model, String name, Rubric rubric, RulerConfig config)
    implements Judge {
  private static final JsonNode SCHEMA =
      Json.parse(
          """
          {"type": "json_schema", "json_schema": {"name": "verdict", "strict": true, "schema": {
            "type": "object", "additionalProperties": false, "required": ["scores"], "properties": {
              "scores": {"type": "array", "items": {
                "type": "object", "additionalProperties": false,
                "required": ["trajectory_id", "explanation", "score"], "properties": {
                  "trajectory_id": {"type": "string"},
                  "explanation": {"type": "string"},
                  "score": {"type": "number"}}}}}}}}\
          """);

  private record Score(double score, String explanation) {}

  @Override
  public Verdict judge(TrajectoryGroup group) {
    var transcripts = Transcripts.of(group);
    int n = transcripts.distinct().size();
    if (n == 1) return verdict(transcripts, new double[] {0.5}, new String[] {""}, 0, 0);
    var sums = new double[n];
    var said = new String[n];
    double firstWins = 0;
    int calls = 0;
    for (int order = 0; order < config.orders(); order++) {
      var places = places(group, n, order);
      var request = request(transcripts, places);
      @Nullable List<Score> scores = null;
      String fault = "";
      for (int trial = 0; trial <= config.retries() && scores == null; trial++) {
        calls++;
        try {
          scores = read(model.complete(request).message().text(), n);
        } catch (JudgeException | ChatException e) {
          fault = String.valueOf(e.getMessage());
        }
      }
      if (scores == null) {
        throw new JudgeException(
            "no verdict after %d trials: %s".formatted(config.retries() + 1, fault));
      }
      firstWins += firstWins(scores) / config.orders();
      for (int place = 0; place < n; place++) {
        sums[places.get(place)] += scores.get(place).score();
        said[places.get(place)] = scores.get(place).explanation();
      }
    }
    for (int i = 0; i < n; i++) sums[i] /= config.orders();
    return verdict(transcripts, sums, said, firstWins, calls);
  }

  private Verdict verdict(
      Transcripts transcripts, double[] scores, String[] said, double firstWins, int calls) {
    return new Verdict(
        rubric.version(name, "lists in %d orders".formatted(config.orders())),
        transcripts.which().stream().map(i -> scores[i]).toList(),
        transcripts.which().stream().map(i -> said[i]).toList(),
        firstWins,
        calls);
  }

  /// The attempts in an order to show them in: what one order puts first the next puts last.
  private List<Integer> places(TrajectoryGroup group, int n, int order) {
    var places = new ArrayList<>(IntStream.range(0, n).boxed().toList());
    long seed = Seeds.of(Seeds.of(config.seed(), group.task().id().hashCode()), order / 2);
    Collections.shuffle(places, new Random(seed));
    return order % 2 == 0 ? places : places.reversed();
  }

  /// @param scores in the order in which the attempts were shown
  private static double firstWins(List<Score> scores) {
    double sum = 0;
    int pairs = 0;
    for (int i = 0; i < scores.size(); i++) {
      for (int j = i + 1; j < scores.size(); j++, pairs++) {
        sum += Calibration.wins(scores.get(i).score(), scores.get(j).score()) - 0.5;
      }
    }
    return sum / Math.max(1, pairs);
  }

  private ChatRequest request(Transcripts transcripts, List<Integer> places) {
    var system =
        """
        All of the trajectories below are attempts at the same task. Score each of them between 0 and 1.
        Grading standards:
        %s
        Answer with JSON: {"scores": [{"trajectory_id": "1", "explanation": "...", "score": 0.5}, ...]}, \
        one entry for each trajectory.\
        """
            .formatted(rubric.text());
    var user = new StringBuilder();
    if (!transcripts.common().isEmpty()) {
      user.append("<context>\n")
          .append(Transcripts.text(transcripts.common()))
          .append("</context>\n");
    }
    for (int place = 0; place < places.size(); place++) {
      user.append("<trajectory id=\"").append(place + 1).append("\">\n");
      user.append(Transcripts.text(transcripts.distinct().get(places.get(place))));
      user.append("</trajectory>\n");
    }
    var messages = Json.array();
    messages.add(Json.object().put("role", "system").put("content", system));
    messages.add(Json.object().put("role", "user").put("content", user.toString()));
    var request = ChatRequest.of("judge", messages, null);
    request.json().put("temperature", 0).set("response_format", SCHEMA);
    return request;
  }

  /// The scores of a verdict, in the order in which the attempts were shown.
  private static List<Score> read(String text, int n) {
    JsonNode json;
    try {
      json = Json.parse(text.strip());
    } catch (JacksonException e) {
      throw new JudgeException("the verdict is not JSON");
    }
    Map<String, Score> byId = new HashMap<>();
    for (var entry : json.path("scores")) {
      var id = entry.path("trajectory_id").asString("");
      var score = entry.path("score");
      if (!score.isNumber() || score.asDouble() < 0 || score.asDouble() > 1) {
        throw new JudgeException("trajectory %s has no score in 0..1".formatted(id));
      }
      var before =
          byId.put(id, new Score(score.asDouble(), entry.path("explanation").asString("")));
      if (before != null) throw new JudgeException("trajectory %s is scored twice".formatted(id));
    }
    var out = new ArrayList<Score>();
    for (int place = 1; place <= n; place++) {
      var score = byId.remove(String.valueOf(place));
      if (score == null) throw new JudgeException("trajectory %d is not scored".formatted(place));
      out.add(score);
    }
    if (!byId.isEmpty()) throw new JudgeException("there is no trajectory " + byId.keySet());
    return out;
  }
}
