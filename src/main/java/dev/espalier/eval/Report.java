package dev.espalier.eval;

import dev.espalier.chat.Json;
import dev.espalier.chat.Usage;
import dev.espalier.stats.Interval;
import dev.espalier.stats.Proportion;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// What an evaluation found. Turns that should be a call and turns that should be text are never
/// mixed into one number.
///
/// @param turns every graded turn, in the order of the examples
/// @param calls how many turns that should be a call got each grade
/// @param texts how many turns that should be text got each grade
public record Report(List<Scored> turns, Map<Grade, Integer> calls, Map<Grade, Integer> texts) {
  public Report {
    turns = List.copyOf(turns);
    calls = Collections.unmodifiableMap(new EnumMap<>(calls));
    texts = Collections.unmodifiableMap(new EnumMap<>(texts));
  }

  static Report of(List<Scored> turns) {
    return new Report(
        turns, grades(turns, Scored::wantsCall), grades(turns, turn -> !turn.wantsCall()));
  }

  private static Map<Grade, Integer> grades(List<Scored> turns, Predicate<Scored> which) {
    var counts = new EnumMap<Grade, Integer>(Grade.class);
    for (var grade : Grade.values()) counts.put(grade, 0);
    for (var turn : turns) {
      if (which.test(turn)) counts.merge(turn.grade(), 1, Integer::sum);
    }
    return counts;
  }

  /// How many turns should be a call.
  public int n() {
    return sum(calls);
  }

  /// How many turns should be text.
  public int textN() {
    return sum(texts);
  }

  /// The fraction of call turns with exactly the expected calls, or NaN without such turns.
  public double exact() {
    return (double) count(calls, Grade.EXACT) / n();
  }

  /// The 95 % interval of [#exact], or null without call turns.
  public @Nullable Interval exactInterval() {
    return n() == 0 ? null : Proportion.wilson(count(calls, Grade.EXACT), n(), 0.95);
  }

  /// The mean word F1 of text turns, or NaN without such turns.
  public double textF1() {
    var scores = turns.stream().filter(turn -> !turn.wantsCall()).mapToDouble(Scored::textF1);
    return scores.average().orElse(Double.NaN);
  }

  /// Turns the model failed on, of both kinds.
  public int errors() {
    return count(calls, Grade.ERROR) + count(texts, Grade.ERROR);
  }

  /// What the model said when it first failed, empty if it never did.
  public String firstError() {
    return turns.stream().map(Scored::error).filter(e -> !e.isEmpty()).findFirst().orElse("");
  }

  /// The latency in seconds that a fraction p of answers stayed within, or NaN without answers.
  public double latency(double p) {
    var sorted = answered().mapToDouble(Scored::seconds).sorted().toArray();
    if (sorted.length == 0) return Double.NaN;
    return sorted[Math.max(0, (int) Math.ceil(p * sorted.length) - 1)];
  }

  /// The report as one JSON object: `exact` is a fraction, the other grades are counts, and
  /// everything up to `n` is about turns that should be a call. What was not measured is null.
  public ObjectNode toJson() {
    var json = Json.object();
    put(json, "exact", exact());
    var interval = exactInterval();
    if (interval == null) json.putNull("exact_ci");
    else json.putArray("exact_ci").add(interval.low()).add(interval.high());
    for (var grade :
        List.of(
            Grade.WRONG_TOOL,
            Grade.WRONG_ARGUMENT,
            Grade.WRONG_VALUE,
            Grade.UNPARSEABLE,
            Grade.NO_CALL)) {
      json.put(grade.wire(), count(calls, grade));
    }
    json.put("n", n()).put("text_n", textN());
    put(json, "text_exact", (double) count(texts, Grade.EXACT) / textN());
    put(json, "text_f1", textF1());
    json.put(Grade.FALSE_CALL.wire(), count(texts, Grade.FALSE_CALL)).put("errors", errors());
    if (errors() > 0) json.put("first_error", firstError());
    put(json, "latency_ms_p50", 1000 * latency(0.5));
    put(json, "latency_ms_p95", 1000 * latency(0.95));
    json.put("prompt_tokens", tokens(Usage::promptTokens));
    return json.put("completion_tokens", tokens(Usage::completionTokens));
  }

  private long tokens(ToIntFunction<Usage> part) {
    return answered()
        .map(Scored::completion)
        .mapToLong(c -> c == null ? 0 : part.applyAsInt(c.usage()))
        .sum();
  }

  private Stream<Scored> answered() {
    return turns.stream().filter(turn -> turn.completion() != null);
  }

  private static int count(Map<Grade, Integer> grades, Grade grade) {
    return grades.getOrDefault(grade, 0);
  }

  private static int sum(Map<Grade, Integer> grades) {
    return grades.values().stream().mapToInt(Integer::intValue).sum();
  }

  private static void put(ObjectNode json, String name, double value) {
    if (Double.isNaN(value)) json.putNull(name);
    else json.put(name, value);
  }
}
