package dev.espalier.cli;

import dev.espalier.chat.Json;
import dev.espalier.eval.Comparison;
import dev.espalier.eval.Report;
import dev.espalier.store.Price;
import java.time.Duration;
import java.util.Locale;
import tools.jackson.databind.node.ObjectNode;

/// What the demo found.
///
/// @param captured requests found in the store of those the application sent
/// @param gain distilled against base, on the same held-out calls
/// @param practised what reinforcement did for an adapter of few requests
/// @param teacherCost a thousand requests to the teacher, at its configured price
/// @param delay the teacher's, as configured
/// @param price the teacher's, as configured
record DemoResult(
    int requests,
    long captured,
    Scores scores,
    Comparison gain,
    Reinforcement practised,
    double teacherCost,
    Duration delay,
    Price price,
    Seconds seconds) {
  private static final long RESAMPLING_SEED = 1;

  /// Who was measured: the teacher on what it was asked, the others on held-out turns.
  record Scores(
      Report teacher, Report base, Report nearest, Report distilled, Report distilledUnseen) {}

  /// @param threeActs from the start to the end of the third act
  record Seconds(double threeActs, double all) {}

  static DemoResult of(
      DemoConfig config,
      int requests,
      long captured,
      Scores scores,
      Reinforcement practised,
      double teacherCost,
      Seconds seconds) {
    var gain = Comparison.of(scores.distilled(), scores.base(), RESAMPLING_SEED);
    return new DemoResult(
        requests,
        captured,
        scores,
        gain,
        practised,
        teacherCost,
        config.delay(),
        config.price(),
        seconds);
  }

  /// The last line of `--json`.
  ObjectNode toJson() {
    var json =
        Json.object()
            .put("event", "summary")
            .put("requests", requests)
            .put("captured", captured)
            .put("teacher", scores.teacher().exact())
            .put("base", scores.base().exact())
            .put("nearest", scores.nearest().exact())
            .put("distilled", scores.distilled().exact());
    json.putArray("distilled_ci").add(gain.difference().low()).add(gain.difference().high());
    json.put("distilled_unseen", scores.distilledUnseen().exact());
    practised.toJson().properties().forEach(it -> json.set(it.getKey(), it.getValue()));
    json.put("teacher_ms_p50", 1000 * scores.teacher().latency(0.5));
    json.put("distilled_ms_p50", 1000 * scores.distilled().latency(0.5));
    json.put("teacher_cost_per_1k", teacherCost).put("distilled_cost_per_1k", 0);
    json.putObject("teacher_configured")
        .put("delay_ms", delay.toMillis())
        .put("price_in_per_1m", price.input())
        .put("price_out_per_1m", price.output());
    json.put("seconds_three_acts", seconds.threeActs());
    return json.put("seconds", seconds.all());
  }

  /// The same for people.
  String table() {
    var out = new StringBuilder();
    out.append(
        String.format(
            Locale.ROOT,
            "%-24s %8s  %-16s %10s %14s%n",
            "",
            "exact",
            "95 % interval",
            "p50",
            "1,000 requests"));
    row(out, "large model *", scores.teacher(), dollars(teacherCost));
    row(out, "base model", scores.base(), "");
    row(out, "nearest captured", scores.nearest(), "");
    row(out, "adapter", scores.distilled(), dollars(0));
    row(out, "adapter, new phrasings", scores.distilledUnseen(), dollars(0));
    out.append(
        String.format(
            Locale.ROOT,
            "%nadapter minus base: %+.3f, 95 %% interval %+.3f to %+.3f, on %d held-out calls%n",
            gain.exact() - gain.baseline(),
            gain.difference().low(),
            gain.difference().high(),
            gain.n()));
    out.append(
        String.format(
            Locale.ROOT,
            "whole conversations, by the office's book, of %d held-out tasks: %.3f after %d requests,"
                + " %.3f after %d steps of GRPO (%+.3f to %+.3f)%n",
            practised.start().trajectories().size(),
            practised.start().rate(),
            DemoConfig.FEW,
            practised.reinforced().rate(),
            practised.steps(),
            practised.gain().low(),
            practised.gain().high()));
    out.append(
        String.format(
            Locale.ROOT,
            "%d of %d requests captured, %.0f s in all; p50 with %d requests at once%n* stands in for a provider: right by"
                + " construction, on the captured calls; its delay (%d ms) and price ($%.2f and"
                + " $%.2f a million tokens in and out) are configured%n",
            captured,
            requests,
            seconds.all(),
            Demo.CONCURRENCY,
            delay.toMillis(),
            price.input(),
            price.output()));
    return out.toString();
  }

  private static void row(StringBuilder out, String who, Report report, String cost) {
    var interval = report.exactInterval();
    var range =
        interval == null
            ? ""
            : String.format(Locale.ROOT, "%.3f to %.3f", interval.low(), interval.high());
    out.append(
        String.format(
            Locale.ROOT,
            "%-24s %8.3f  %-16s %7.0f ms %14s%n",
            who,
            report.exact(),
            range,
            1000 * report.latency(0.5),
            cost));
  }

  private static String dollars(double amount) {
    return String.format(Locale.ROOT, "$%.2f", amount);
  }
}
