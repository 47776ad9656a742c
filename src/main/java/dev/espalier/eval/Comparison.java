package dev.espalier.eval;

import dev.espalier.chat.Json;
import dev.espalier.stats.Bootstrap;
import dev.espalier.stats.Interval;
import java.util.HashMap;
import tools.jackson.databind.node.ObjectNode;

/// Two models on the same held-out turns: the difference of their exact match, with the interval of
/// the paired bootstrap over conversations.
///
/// @param exact the first model's fraction of exact call turns
/// @param baseline the second model's
/// @param difference the 95 % interval of `exact - baseline`
/// @param n call turns compared
public record Comparison(double exact, double baseline, Interval difference, int n) {
  private static final int RESAMPLES = 10_000;

  /// Compares call turns.
  ///
  /// @throws IllegalArgumentException if the reports are not about the same turns, or none of them
  ///   should be a call
  public static Comparison of(Report model, Report baseline, long seed) {
    var ours = model.turns().stream().filter(Scored::wantsCall).toList();
    var theirs = baseline.turns().stream().filter(Scored::wantsCall).toList();
    if (ours.size() != theirs.size()) {
      throw new IllegalArgumentException(
          "the models were measured on different turns: %d and %d calls"
              .formatted(ours.size(), theirs.size()));
    }
    int n = ours.size();
    if (n == 0) throw new IllegalArgumentException("no turn to compare should be a call");
    var a = new double[n];
    var b = new double[n];
    var groups = new int[n];
    var numbers = new HashMap<String, Integer>();
    for (int i = 0; i < n; i++) {
      var example = ours.get(i).example();
      if (!example.equals(theirs.get(i).example())) {
        throw new IllegalArgumentException(
            "the models were measured on different turns: %s and %s"
                .formatted(example.source(), theirs.get(i).example().source()));
      }
      a[i] = ours.get(i).exact() ? 1 : 0;
      b[i] = theirs.get(i).exact() ? 1 : 0;
      groups[i] = numbers.computeIfAbsent(example.conversation(), c -> numbers.size());
    }
    var interval = Bootstrap.paired(a, b, groups, 0.95, RESAMPLES, seed);
    return new Comparison(model.exact(), baseline.exact(), interval, n);
  }

  public ObjectNode toJson() {
    var json = Json.object().put("exact", exact).put("baseline", baseline);
    json.put("difference", exact - baseline);
    json.putArray("difference_ci").add(difference.low()).add(difference.high());
    return json.put("n", n);
  }
}
