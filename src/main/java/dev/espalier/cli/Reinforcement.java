package dev.espalier.cli;

import dev.espalier.chat.Json;
import dev.espalier.eval.TaskSuccess;
import dev.espalier.stats.Bootstrap;
import dev.espalier.stats.Interval;
import tools.jackson.databind.node.ObjectNode;

/// What practising did for an adapter: both are measured on the same held-out tasks, one greedy
/// attempt each.
///
/// @param steps how many batches it learnt from
/// @param seconds that it took, with its evaluations
record Reinforcement(TaskSuccess start, TaskSuccess reinforced, int steps, double seconds) {
  private static final double LEVEL = 0.95;
  private static final int RESAMPLES = 10_000;

  /// The 95 % interval of reinforced minus start, by the paired bootstrap over tasks.
  Interval gain() {
    return Bootstrap.paired(numbers(reinforced), numbers(start), LEVEL, RESAMPLES, 1);
  }

  ObjectNode toJson() {
    var json = Json.object().put("rl_start", start.rate()).put("reinforced", reinforced.rate());
    json.putArray("reinforced_ci").add(gain().low()).add(gain().high());
    return json.put("rl_steps", steps).put("rl_seconds", seconds);
  }

  private static double[] numbers(TaskSuccess success) {
    var finished = success.finished();
    var out = new double[finished.length];
    for (int i = 0; i < out.length; i++) out[i] = finished[i] ? 1 : 0;
    return out;
  }
}
